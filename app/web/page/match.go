package page

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Match is how well one of the texts answers a query: 0 not at all, higher is
// better. Case and accents do not matter. An empty query matches everything.
type Match int

// The grades of a match.
const (
	NoMatch     Match = iota
	MatchesPart       // somewhere in a text
	BeginsWord        // at the beginning of a word
	BeginsText        // at the beginning of a text
	MatchesText       // the whole of a text
)

// MatchOf is the best match of a query among texts.
func MatchOf(query string, texts ...string) Match {
	query, best := fold(strings.TrimSpace(query)), NoMatch
	for _, text := range texts {
		best = max(best, matchOne(query, fold(text)))
	}
	return best
}

func matchOne(query, text string) Match {
	switch at := strings.Index(text, query); {
	case at < 0:
		return NoMatch
	case text == query:
		return MatchesText
	case at == 0:
		return BeginsText
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if strings.HasPrefix(word, query) {
			return BeginsWord
		}
	}
	return MatchesPart
}

// fold drops case and accents: "Yılmaz" is "yilmaz", "Ilić" is "ilic".
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'ı':
			return 'i'
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}
