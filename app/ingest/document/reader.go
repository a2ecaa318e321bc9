package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Bounds of what is read; of text in runes.
const (
	MaxName     = 1024
	MaxEntries  = 250 // of each list that a person is shown
	maxWarnings = 20
)

// Reader reads the values of one event and notes what it cannot use. A path
// names a value as its sender does: "error_budget.burn_rate", "links[1].href".
type Reader struct {
	// Warnings are at most 20, in the order in which they arose; Finish says how
	// many there are besides.
	Warnings []string
	// Unknown are what was not used and the fields that the format does not know,
	// as JSON text, at most MaxEntries.
	Unknown []incident.Pair
	// Refused are the fields because of which the event cannot be accepted.
	Refused []fault.Field

	dropped  int // warnings beyond maxWarnings
	unlisted int // entries beyond MaxEntries
	suspects int // unknown names that were looked at
}

// Finish adds a warning for what went beyond the bounds.
func (r *Reader) Finish() {
	if r.dropped > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d further warnings are not listed.", r.dropped))
	}
	if r.unlisted > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d further entries stand only in the raw signal.", r.unlisted))
	}
	r.dropped, r.unlisted = 0, 0
}

// Object sorts the members of an object into slots, one for each of fields, and
// keeps those that it does not know. Of a name that is given twice the last
// counts, and the others are kept. prefix is "" or ends with a full stop.
func (r *Reader) Object(prefix string, v Value, fields []string, slots []Value) {
	for name, member := range v.Members() {
		key := name.Text()
		slot := slices.Index(fields, key)
		if slot < 0 {
			r.Keep(prefix+key, member)
			r.suspect(prefix, key, fields)
			continue
		}
		if slots[slot] != "" {
			r.Unused(prefix+fields[slot], slots[slot], "is given twice; the last one counts")
		}
		slots[slot] = member
	}
}

// Keep adds a value to Unknown.
func (r *Reader) Keep(path string, v Value) {
	if !r.Full(len(r.Unknown)) {
		r.Unknown = append(r.Unknown, incident.Pair{Name: path, Value: string(v)})
	}
}

// Full reports, and counts, that a list takes no further entry.
func (r *Reader) Full(entries int) bool {
	if entries < MaxEntries {
		return false
	}
	r.unlisted++
	return true
}

// Unused keeps a value that cannot be used and warns of it; why goes on after
// the path and has no full stop.
func (r *Reader) Unused(path string, v Value, why string) {
	r.Keep(path, v)
	r.Warn(path + " " + why + ".")
}

// Warn adds a warning, a whole sentence.
func (r *Reader) Warn(warning string) {
	if len(r.Warnings) >= maxWarnings {
		r.dropped++
		return
	}
	r.Warnings = append(r.Warnings, warning)
}

// Refuse adds a field because of which the event cannot be accepted.
func (r *Reader) Refuse(path, message string) {
	r.Refused = append(r.Refused, fault.Field{Path: path, Message: message})
}

// Required is a text of one line that must be there and not be blank; one that is
// longer than MaxName is cut and warned of.
func (r *Reader) Required(path string, v Value) string {
	switch {
	case !v.Given():
		r.Refuse(path, "is missing")
		return ""
	case !v.IsString():
		r.Refuse(path, "must be text")
		return ""
	}
	s := r.Line(path, v)
	if s == "" {
		r.Refuse(path, "must not be blank")
	}
	return s
}

// Line is a text of one line; one that is longer than MaxName is cut and warned
// of, and what is no text is not used.
func (r *Reader) Line(path string, v Value) string {
	if v.Given() && !v.IsString() {
		r.Unused(path, v, "must be text and is not used")
		return ""
	}
	return r.Scalar(path, v)
}

// Scalar is Line that takes a number and a boolean for the text that they are.
func (r *Reader) Scalar(path string, v Value) string {
	if v.IsObject() || v.IsArray() {
		r.Unused(path, v, "must be text and is not used")
		return ""
	}
	if !v.Given() {
		return ""
	}
	s := OneLine(v.Text())
	short := Cut(s)
	if short != s {
		r.Unused(path, v, fmt.Sprintf("is longer than %d characters and was cut", MaxName))
	}
	return short
}

// Number is a number within bounds, nil for none. One in quotes is used and
// warned of.
func (r *Reader) Number(path string, v Value, minimum, maximum float64) *float64 {
	if !v.Given() {
		return nil
	}
	text := v
	if v.IsString() {
		text = Value(strings.TrimSpace(v.Text()))
	}
	if !text.IsNumber() || v.IsString() && !jsontext.Value(text).IsValid() {
		r.Unused(path, v, "must be a number and is not used")
		return nil
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || n < minimum || n > maximum {
		r.Unused(path, v, "is out of range and is not used")
		return nil
	}
	if v.IsString() {
		r.Warn(path + " is a number in quotes and was read as a number.")
	}
	return &n
}

// Duration is a duration within bounds and its text, 0 for none: see
// ParseDuration. 0 without a unit is one only where minimum lets it.
func (r *Reader) Duration(path string, v Value, minimum, maximum time.Duration) (time.Duration, string) {
	if !v.Given() {
		return 0, ""
	}
	if none := v == "0" || v.IsString() && v.Text() == "0"; none && minimum == 0 {
		return 0, ""
	}
	if v.IsString() {
		text := v.Text()
		if length, ok := ParseDuration(text); ok && length >= minimum && length <= maximum {
			return length, text
		}
	}
	r.Unused(path, v, `must be a duration such as "90s", "1h30m" or "28d" and is not used`)
	return 0, ""
}

// minYear is the first year that a time may lie in.
const minYear = 2000

// Time is an RFC 3339 time between the years 2000 and 9998, in UTC and whole
// microseconds, as both databases keep it; zero for none.
func (r *Reader) Time(path string, v Value) time.Time {
	if !v.Given() {
		return time.Time{}
	}
	at, err := time.Time{}, error(nil)
	if v.IsString() {
		at, err = time.Parse(time.RFC3339, v.Text())
	}
	at = at.UTC().Truncate(time.Microsecond)
	switch {
	case !v.IsString() || err != nil:
		r.Unused(path, v, `must be a time such as "2026-11-23T18:04:05Z" and is not used`)
	case at.Year() < minYear:
		r.Unused(path, v, fmt.Sprintf("lies before the year %d and is not used", minYear))
	case at.Year() > 9998:
		r.Unused(path, v, "lies after the year 9998 and is not used")
	default:
		return at
	}
	return time.Time{}
}
