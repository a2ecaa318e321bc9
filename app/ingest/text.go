package ingest

import (
	"strings"
	"unicode"
)

// maxHeader is how much of a header is shown or kept, in bytes.
const maxHeader = 256

// printable makes a header fit for a database and a page.
func printable(header string) string {
	header = oneLine(strings.ToValidUTF8(header, "\ufffd"))
	if len(header) > maxHeader {
		header = strings.ToValidUTF8(header[:maxHeader], "")
	}
	return header
}

func isWebAddress(href string) bool {
	scheme, rest, ok := strings.Cut(href, "://")
	return ok && rest != "" && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}

// oneLine makes a text fit for a title, a subject or an SMS.
func oneLine(s string) string {
	if strings.ContainsFunc(s, unicode.IsControl) {
		s = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, s)
	}
	return strings.TrimSpace(s)
}
