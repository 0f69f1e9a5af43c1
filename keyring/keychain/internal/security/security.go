// Package security calls macOS' Security.framework, without cgo: generic
// passwords, and the keychain that holds them. It decides nothing. Every
// status is macOS' own (OSStatus, SecBase.h), and zero is success.
//
// It is built for Linux too, where its tests load a stand-in.
package security
