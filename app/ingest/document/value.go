// Package document reads JSON that senders post: the text of a value, within
// bounds and fit for a database; the members that a format knows, and those that
// it does not, which are kept; and names that are almost a known one.
package document

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// maxDepth is how deeply a body may be nested.
const maxDepth = 64

// Names may repeat, since the last one can be taken and the others shown; a
// lone surrogate becomes U+FFFD rather than costing a page. Bytes that are not
// UTF-8 have been refused before.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// Value is one JSON value of a document that was found valid: what stands in it
// need not be checked again. It is a part of the document's text and copies
// nothing.
type Value string

// Parse reads a body as one JSON object. Faults: Unsupported for a content type
// that is not JSON, Malformed for what is no JSON object of at most 64 levels in
// UTF-8.
func Parse(body []byte, contentType string) (Value, error) {
	if err := checkContentType(contentType); err != nil {
		return "", err
	}
	body = trimmed(body)
	switch {
	case len(body) == 0:
		return "", fault.Malformed("The body is empty; a JSON object was expected.")
	case !utf8.Valid(body):
		return "", fault.Malformed("The body is not UTF-8.")
	case tooDeep(body):
		return "", fault.Malformed("The body is nested more than %d levels deep.", maxDepth)
	case !jsontext.Value(body).IsValid(lenient...):
		return "", syntaxFault(body)
	case body[0] != '{':
		return "", fault.Malformed("The body is JSON, but not an object.")
	}
	return Value(body), nil
}

func trimmed(body []byte) []byte {
	return bytes.Trim(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
}

// Parsed is a body that Parse has taken before. It is not validated again.
func Parsed(body []byte) Value { return Value(trimmed(body)) }

// checkContentType takes JSON, and no content type at all. Text and forms are
// refused rather than guessed at: the sender has a setting to mend.
func checkContentType(contentType string) error {
	if contentType == "" || contentType == "application/json" {
		return nil
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil && media == "" {
		return fault.Unsupported("The content type %q cannot be read; send application/json.", Printable(contentType))
	}
	if media != "application/json" && !(strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) {
		return fault.Unsupported("The content type %s is not read here; send application/json.", Printable(media))
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
		return nil
	}
	return fault.Unsupported("The character set %s is not read here; send UTF-8.", Printable(params["charset"]))
}

// tooDeep counts brackets outside strings. It stands before the validator, so
// that nothing recurses on what a stranger sent.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// syntaxFault says where a text stops being JSON.
func syntaxFault(text []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(text), lenient...)
	_, err := d.ReadValue()
	if err == nil {
		return fault.Malformed("Something follows the JSON object, from byte %d on.", d.InputOffset())
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Malformed("The body is cut off: it ends inside the JSON object.").Because(err)
	}
	offset := d.InputOffset()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		offset = syntax.ByteOffset
	}
	line := 1 + bytes.Count(text[:offset], []byte("\n"))
	return fault.Malformed("The body is not JSON from byte %d on, in line %d.", offset, line).Because(err)
}

// IsString is true for text.
func (v Value) IsString() bool { return v != "" && v[0] == '"' }

// IsObject is true for an object.
func (v Value) IsObject() bool { return v != "" && v[0] == '{' }

// IsArray is true for a list.
func (v Value) IsArray() bool { return v != "" && v[0] == '[' }

// IsNumber is true for a number that is not in quotes.
func (v Value) IsNumber() bool { return v != "" && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') }

// Given is false for null and for what is not there at all.
func (v Value) Given() bool { return v != "" && v[0] != 'n' }

// Text is what a string says, or the JSON of anything else. What PostgreSQL
// cannot store as text is replaced by what a reader can see: NUL by its symbol,
// a lone surrogate by U+FFFD.
func (v Value) Text() string {
	if !v.IsString() {
		return string(v)
	}
	inner := string(v[1 : len(v)-1])
	if strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	// The error only repeats that a lone surrogate was replaced.
	unquoted, _ := jsontext.AppendUnquote(nil, string(v))
	return Storable(string(unquoted))
}

// Storable replaces what a database cannot keep in a text.
func Storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\u2400")
}

// Members walks an object in its order; a name may repeat.
func (v Value) Members() iter.Seq2[Value, Value] {
	return func(yield func(name, member Value) bool) {
		for i := skipSpace(v, 1); v[i] != '}'; {
			end := skipValue(v, i)
			name := v[i:end]
			i = skipSpace(v, end)
			i = skipSpace(v, i+1) // the colon
			end = skipValue(v, i)
			if !yield(name, v[i:end]) {
				return
			}
			if i = skipSpace(v, end); v[i] == ',' {
				i = skipSpace(v, i+1)
			}
		}
	}
}

// Elements walks an array.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(index int, element Value) bool) {
		i := skipSpace(v, 1)
		for n := 0; v[i] != ']'; n++ {
			end := skipValue(v, i)
			if !yield(n, v[i:end]) {
				return
			}
			if i = skipSpace(v, end); v[i] == ',' {
				i = skipSpace(v, i+1)
			}
		}
	}
}

func skipSpace(v Value, i int) int {
	for v[i] == ' ' || v[i] == '\n' || v[i] == '\t' || v[i] == '\r' {
		i++
	}
	return i
}

// skipValue is the index after the value that begins at i.
func skipValue(v Value, i int) int {
	switch v[i] {
	case '"':
		return skipString(v, i)
	case '{', '[':
		for depth := 0; ; i++ {
			switch v[i] {
			case '"':
				i = skipString(v, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(v) && !strings.ContainsRune(",]} \n\t\r", rune(v[i])) {
		i++
	}
	return i
}

func skipString(v Value, i int) int {
	for i++; v[i] != '"'; i++ {
		if v[i] == '\\' {
			i++
		}
	}
	return i + 1
}
