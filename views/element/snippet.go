package element

import "strings"

// Snippet is a text to copy into the configuration of a sender.
type Snippet struct {
	Title string // "Alertmanager"
	Text  string
}

// WithArticle puts the indefinite article before a noun in lower case: "a breach",
// "an alert".
func WithArticle(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
