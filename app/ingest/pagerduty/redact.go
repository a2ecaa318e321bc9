package pagerduty

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

const (
	// keyWithin is how many bytes after its name a key begins at most. What stands
	// between them depends on the language that printed the body.
	keyWithin = 32
	// minKey is the minimum length of a key in bytes, other than of one that the end
	// of the body cuts off.
	minKey    = 16
	minCutKey = 4
	// maxKeys bounds the keys that are looked for in the rest of the body too.
	maxKeys = 16
	hidden  = "***"
)

// keyName is the name of a key of this version of the protocol or of the one before
// it, in any case; the underscore may be escaped.
var keyName = regexp.MustCompile(`(?i)(?:routing|service|integration)(?:_|-|\\+u005f|%5f)?key`)

// redact hides the keys that a body names, which need not be JSON: it may be cut off,
// encoded twice, a form, or printed by a language. The first text of letters and
// digits behind a name that is long enough counts as a key. What is hidden once is
// hidden everywhere.
func redact(body []byte) []byte {
	var out bytes.Buffer
	var keys []string
	from := 0
	for _, name := range keyName.FindAllIndex(body, -1) {
		if name[1] < from {
			continue // inside of what is hidden
		}
		start, end := findKey(body, name[1])
		if start == end {
			continue
		}
		keys = appendKey(keys, string(body[start:end]))
		out.Write(body[from:start])
		out.WriteString(hidden)
		from = end
	}
	out.Write(body[from:])
	keys = append(keys, escapedKeys(body)...)
	if len(keys) == 0 {
		return body
	}
	// The longest first, since a key may begin like another.
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, key := range keys {
		pairs = append(pairs, key, hidden)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(out.String()))
}

func appendKey(keys []string, key string) []string {
	if len(keys) < maxKeys && len(key) >= minKey && !slices.Contains(keys, key) {
		keys = append(keys, key)
	}
	return keys
}

// findKey returns where the key begins and ends that follows a name; twice the same
// for none.
func findKey(body []byte, after int) (start, end int) {
	for start = after; start < min(after+keyWithin, len(body)); start = end {
		end = start
		for end < len(body) && isAlphanumeric(body[end]) {
			end++
		}
		switch length := end - start; {
		case length >= minKey, end == len(body) && length >= minCutKey:
			return start, end
		case length == 0:
			end++
		}
	}
	return 0, 0
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// escapedKeys are the values of the members of a JSON object whose name is that of
// the key when it is read, and not as it is written.
func escapedKeys(body []byte) []string {
	doc, err := document.Parse(body, "")
	if err != nil {
		return nil
	}
	var keys []string
	for name, value := range doc.Members() {
		if name.Text() == keyField && value.IsString() {
			keys = appendKey(keys, strings.Trim(string(value), `"`))
		}
	}
	return keys
}
