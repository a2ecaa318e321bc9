package element

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"
)

var address = regexp.MustCompile(`https?://[^\s<>"]+`)

// Linked is a text that a person typed, with its web addresses as links.
func Linked(text string) templ.Component {
	var parts []any
	for _, piece := range pieces(text) {
		if piece.Href == "" {
			parts = append(parts, piece.Text)
		} else {
			parts = append(parts, webLink(piece.Href))
		}
	}
	return Say(parts...)
}

// pieces splits a text at its web addresses; those have an Href. What ends the
// sentence around an address is no part of it.
func pieces(text string) []Link {
	var all []Link
	from := 0
	for _, at := range address.FindAllStringIndex(text, -1) {
		href := ended(text[at[0]:at[1]])
		if at[0] > from {
			all = append(all, Link{Text: text[from:at[0]]})
		}
		all = append(all, Link{Text: href, Href: href})
		from = at[0] + len(href)
	}
	if from < len(text) {
		all = append(all, Link{Text: text[from:]})
	}
	return all
}

// ended drops punctuation from the end of an address, and a bracket that was
// opened before it.
func ended(href string) string {
	for {
		last, size := utf8.DecodeLastRuneInString(href)
		closes := last == ')' && strings.Count(href, ")") > strings.Count(href, "(")
		if !closes && !strings.ContainsRune(".,;:!?'”’]", last) {
			return href
		}
		href = href[:len(href)-size]
	}
}
