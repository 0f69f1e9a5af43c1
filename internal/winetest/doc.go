// Package winetest runs, under Wine, what is built for Windows: tests of
// packages, and the command line.
package winetest
