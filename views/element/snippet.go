package element

import (
	"slices"
	"strings"
)

// Snippet is a text to copy into the configuration of a sender.
type Snippet struct {
	Title string // "Alertmanager"
	Text  string
}

// KeyVariable stands in texts to copy in place of a key that is not shown. Few of
// the programs that read such texts expand it.
const KeyVariable = "$TOCSIN_KEY"

// LackKey reports whether the key has to be put into one of the snippets.
func LackKey(all []Snippet) bool {
	return slices.ContainsFunc(all, func(s Snippet) bool { return strings.Contains(s.Text, KeyVariable) })
}

// WithArticle puts the indefinite article before a noun in lower case: "a breach",
// "an alert".
func WithArticle(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
