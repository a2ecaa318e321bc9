// Package excerpt shortens texts between characters as people see them: no letter loses
// its accent, and no emoji falls apart.
package excerpt

import (
	"strings"
	"unicode"
)

// Begin is a text, or the beginning of one that is longer than length, with the
// ellipsis. length and what it bounds, the ellipsis included, are in runes; the ellipsis
// must be shorter than it.
func Begin(text string, length int, ellipsis string) string {
	if len(text) <= length {
		return text
	}
	runes := []rune(text)
	if len(runes) <= length {
		return text
	}
	return string(runes[:Boundary(runes, length-len([]rune(ellipsis)))]) + ellipsis
}

// Ends is a text, or both ends of one that is longer than length with the ellipsis
// between them, for texts that differ at their end: addresses and paths. The lengths are
// those of Begin.
func Ends(text string, length int, ellipsis string) string {
	if len(text) <= length {
		return text
	}
	runes := []rune(text)
	if len(runes) <= length {
		return text
	}
	kept := length - len([]rune(ellipsis))
	begin := Boundary(runes, kept/2)
	end := len(runes) - (kept - kept/2)
	for end < len(runes) && Boundary(runes, end) != end {
		end++
	}
	return string(runes[:begin]) + ellipsis + string(runes[end:])
}

// OneLine makes every run of white space one space.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Boundary is the last place at or before at, in runes, where no character is divided.
func Boundary(runes []rune, at int) int {
	if at >= len(runes) {
		return len(runes)
	}
	for at > 0 && divides(runes, at) {
		at--
	}
	return max(at, 0)
}

const zeroWidthJoiner = '\u200d'

// divides reports whether the rune at a place, which is not the first, belongs to the
// character before it: a mark, a part of a joined emoji, the second half of a flag.
func divides(runes []rune, at int) bool {
	next, before := runes[at], runes[at-1]
	switch {
	case unicode.Is(unicode.M, next), next == zeroWidthJoiner, before == zeroWidthJoiner, isSkinTone(next):
		return true
	case !isFlagHalf(next):
		return false
	}
	halves := 0
	for at--; at >= 0 && isFlagHalf(runes[at]); at-- {
		halves++
	}
	return halves%2 == 1
}

func isSkinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }
func isFlagHalf(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }
