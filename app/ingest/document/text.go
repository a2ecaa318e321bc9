package document

import (
	"strings"
	"unicode"

	"github.com/tocsin-oncall/tocsin/app/excerpt"
)

// maxHeader is how much of a header is shown or kept, in bytes.
const maxHeader = 256

// Printable makes a header fit for a database and a page.
func Printable(header string) string {
	header = OneLine(strings.ToValidUTF8(header, "\ufffd"))
	if len(header) > maxHeader {
		header = strings.ToValidUTF8(header[:maxHeader], "")
	}
	return header
}

// IsWebAddress is true for an http or https address.
func IsWebAddress(href string) bool {
	scheme, rest, ok := strings.Cut(href, "://")
	return ok && rest != "" && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}

// Cut is a text, or what of its first MaxName runes are whole characters.
func Cut(s string) string {
	return excerpt.Begin(s, MaxName, "")
}

// OneLine makes a text fit for a title, a subject or an SMS.
func OneLine(s string) string {
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
