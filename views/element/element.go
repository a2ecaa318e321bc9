// Package element holds the small pieces that every page is made of: times,
// states, priorities, people, icons, form fields. They take plain data and the
// reader's Clock.
package element

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Clock is when and where the reader reads: what relative times count from,
// and the zone that wall-clock times are shown in. Zone must not be nil.
type Clock struct {
	Now  time.Time
	Zone *time.Location
}

// Person is somebody with an account. The zero Person is nobody.
type Person struct {
	ID   int64
	Name string
}

// Initials are the first letters of the first and the last name, in capitals.
func (p Person) Initials() string {
	words := strings.FieldsFunc(p.Name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	})
	if len(words) == 0 {
		return "?"
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	if len(words) == 1 {
		return string(unicode.ToUpper(first))
	}
	last, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return string([]rune{unicode.ToUpper(first), unicode.ToUpper(last)})
}

// First is the name that colleagues use: all up to the first space.
func (p Person) First() string {
	first, _, _ := strings.Cut(p.Name, " ")
	return first
}

// hues is how many colours people are told apart by; app.css defines them.
const hues = 8

// Hue is the person's colour, 0 to 7, the same on every page.
func (p Person) Hue() int64 { return ((p.ID % hues) + hues) % hues }

// Ref names a thing that has a page of its own. A Ref without a slug is shown
// as plain text.
type Ref struct {
	Slug string
	Name string
}

// Link is a titled address. Addresses that senders give may be anything:
// whatever is not http, https, mailto or tel is shown and leads nowhere.
type Link struct {
	Text string
	Href string
}

// Priority is a level with its name, or NoPriority. The zero value is unset.
type Priority struct {
	Level int
	Name  string
}

// NoPriority is the decision that an incident has no priority.
var NoPriority = Priority{Name: "No priority"}

// Unset reports whether nobody has decided.
func (p Priority) Unset() bool { return p.Name == "" }

// Field is one input of a form: what was typed, and what is wrong with it.
// Error empty means nothing is.
type Field struct {
	Value string
	Error string
}

// Pair is a name and a value as text.
type Pair struct {
	Name  string
	Value string
}
