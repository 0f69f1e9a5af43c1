package keychain

import (
	"fmt"

	"github.com/authring/authring/keyring"
)

// status is an OSStatus with macOS' own text for it.
type status struct {
	code int32
	text string
}

func (s *status) Error() string {
	if s.text == "" {
		return fmt.Sprintf("OSStatus %d", s.code)
	}
	return fmt.Sprintf("%s (OSStatus %d)", s.text, s.code)
}

// The statuses that are told apart, of SecBase.h, MacErrors.h, Authorization.h
// and CSCommon.h.
const (
	diskFull               = -34    // errSecDskFull
	ioError                = -36    // errSecIO
	noWritePermission      = -61    // errSecWrPerm
	userCancelled          = -128   // errSecUserCanceled
	noAccessForItem        = -25243 // errSecNoAccessForItem
	notAvailable           = -25291 // errSecNotAvailable
	readOnly               = -25292 // errSecReadOnly
	authFailed             = -25293 // errSecAuthFailed
	noSuchKeychain         = -25294 // errSecNoSuchKeychain
	invalidKeychain        = -25295 // errSecInvalidKeychain
	duplicateItem          = -25299 // errSecDuplicateItem
	itemNotFound           = -25300 // errSecItemNotFound
	noDefaultKeychain      = -25307 // errSecNoDefaultKeychain
	interactionNotAllowed  = -25308 // errSecInteractionNotAllowed
	interactionRequired    = -25315 // errSecInteractionRequired
	inDarkWake             = -25320 // errSecInDarkWake
	missingEntitlement     = -34018 // errSecMissingEntitlement
	authorizationDenied    = -60005 // errAuthorizationDenied
	authorizationCancelled = -60006 // errAuthorizationCanceled
	authorizationNoDialog  = -60007 // errAuthorizationInteractionNotAllowed
	cannotDecode           = -26275 // errSecDecode
	serviceNotAvailable    = -67585 // errSecServiceNotAvailable
	clientIdentity         = -67586 // errSecInsufficientClientID

	// What code signing says of a program: errSecCSUnimplemented to
	// errSecCSRevokedNotarization, among them errSecCSUnsigned (-67062),
	// errSecCSSignatureFailed (-67061) and errSecCSInfoPlistFailed (-67030).
	codeFirst = -67072
	codeLast  = -66992

	// A number of the system (errno) is told as errSecErrnoBase and it.
	errnoFirst = 100000
	errnoLast  = 100255
)

// Numbers of macOS' errno.h.
const (
	eio    = 5
	enospc = 28
	erofs  = 30
)

// asks reports whether a status that came in silence may be another one once
// the user can be asked.
func asks(code int32) bool {
	switch code {
	case interactionNotAllowed, interactionRequired, authFailed, noAccessForItem, authorizationNoDialog:
		return true
	}
	return false
}

// meaning puts a status into the terms of the contract. asked says whether the
// user could be asked.
func (s *status) meaning(asked bool) *outcome {
	kind, detail := keyring.ErrUnavailable, "macOS refused the call"
	switch s.code {
	case itemNotFound:
		return errNoItem
	case userCancelled, authorizationCancelled:
		kind, detail = keyring.ErrDismissed, "its user said no"
	case authFailed, noAccessForItem, authorizationDenied:
		kind, detail = keyring.ErrDismissed, "access was denied: by its user, by a wrong password, or because this program's signature is not the one that the item was stored with"
		if !asked {
			kind, detail = keyring.ErrLocked, mustAsk
		}
	case interactionNotAllowed, interactionRequired, authorizationNoDialog:
		kind, detail = keyring.ErrDismissed, "its user cannot be asked here (SSH, a launch daemon): run 'security unlock-keychain' first, or answer once at the desktop"
		if !asked {
			kind, detail = keyring.ErrLocked, mustAsk
		}
	case inDarkWake:
		kind, detail = keyring.ErrLocked, "the Mac is asleep but for its network: nobody can be asked"
	case missingEntitlement:
		detail = "this program's signature lacks what a sandboxed program needs for the Keychain: sign it again, see 'codesign -d --entitlements - <program>'"
	case clientIdentity:
		detail = badSignature
	case notAvailable, serviceNotAvailable, noDefaultKeychain:
		detail = "this session has no default keychain: log in at the desktop once, or choose one with 'security default-keychain -s <keychain>'"
	case noSuchKeychain, invalidKeychain, cannotDecode:
		detail = "the default keychain is gone or damaged: choose another with 'security default-keychain -s <keychain>'"
	case readOnly, noWritePermission, errnoFirst + erofs:
		detail = "the keychain may not be written by this program: look at the rights of ~/Library/Keychains"
	case duplicateItem:
		detail = "the default keychain holds an item that is not found by searching: is it missing from 'security list-keychains'?"
	case diskFull, ioError, errnoFirst + eio, errnoFirst + enospc:
		detail = "the keychain could not be written to the disk"
	default:
		switch {
		case codeFirst <= s.code && s.code <= codeLast:
			detail = badSignature
		case errnoFirst < s.code && s.code <= errnoLast:
			detail = "the system keeps the keychain's files from this program: look at the rights of ~/Library/Keychains"
		}
	}
	return &outcome{kind: kind, detail: detail, cause: s}
}

// badSignature is about the program that makes the call.
const badSignature = "this program's signature is missing or broken: sign it again, see 'codesign --verify --verbose <program>'"

// mustAsk is why a call that may ask nobody did not succeed.
const mustAsk = "macOS has to ask its user first, whether this program may use the item"
