package blueprint

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// writer writes a document as YAML. It is our own, since the text has to be
// read again as exactly what it was: whatever YAML might take for something
// else is quoted. What fits on a line stands on one.
type writer struct{ strings.Builder }

// maxLine is how many characters a line may have before it is broken up.
const maxLine = 140

// mapping writes a struct or a table, a key a line.
func (w *writer) mapping(v reflect.Value, indent int) {
	for _, p := range fieldsOf(v) {
		w.pad(indent)
		w.WriteString(scalar(p.key) + ":")
		w.value(p.value, indent)
	}
}

// value writes what follows a key, up to the end of the line or beyond.
func (w *writer) value(v reflect.Value, indent int) {
	if line := flow(v); !isBlock(v) && len(line) <= maxLine {
		w.WriteString(" " + line + "\n")
		return
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		w.WriteString("\n")
		w.mapping(v, indent+1)
	case reflect.Slice:
		w.WriteString("\n")
		for i := range v.Len() {
			w.item(v.Index(i), indent+1)
		}
	default:
		w.WriteString(" " + flow(v) + "\n")
	}
}

func (w *writer) item(v reflect.Value, indent int) {
	w.pad(indent)
	line := flow(v)
	if !isBlock(v) && (len(line) <= maxLine || v.Kind() == reflect.String) {
		w.WriteString("- " + line + "\n")
		return
	}
	var inner writer
	inner.mapping(v, indent+1)
	w.WriteString("- " + strings.TrimPrefix(inner.String(), strings.Repeat("  ", indent+1)))
}

func (w *writer) pad(indent int) { w.WriteString(strings.Repeat("  ", indent)) }

// isBlock reports whether a value is too deep for a line: a list of mappings
// never stands on one, and neither does what has such a list.
func isBlock(v reflect.Value) bool {
	if _, ok := v.Interface().(encoding.TextMarshaler); ok {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer:
		return isBlock(v.Elem())
	case reflect.Slice:
		return v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct
	case reflect.Struct:
		return slices.ContainsFunc(fieldsOf(v), func(p pair) bool { return isBlock(p.value) })
	}
	return false
}

// flow is a value on one line.
func flow(v reflect.Value) string {
	if t, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := t.MarshalText()
		if err != nil {
			panic(err) // none of ours fails
		}
		return scalar(string(text))
	}
	switch v.Kind() {
	case reflect.Pointer:
		return flow(v.Elem())
	case reflect.Struct, reflect.Map:
		var pairs []string
		for _, p := range fieldsOf(v) {
			pairs = append(pairs, scalar(p.key)+": "+flow(p.value))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = flow(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.String:
		return scalar(escape(v.String()))
	default:
		return fmt.Sprint(v.Interface())
	}
}

type pair struct {
	key   string
	value reflect.Value
}

// fieldsOf are the keys of a mapping with a value, in the order of the type or
// of the alphabet. Fields marked omitempty are left out while they are empty.
func fieldsOf(v reflect.Value) []pair {
	var all []pair
	if v.Kind() == reflect.Map {
		for _, k := range slices.SortedFunc(maps.Keys(keysOf(v)), strings.Compare) {
			all = append(all, pair{k, v.MapIndex(reflect.ValueOf(k))})
		}
		return all
	}
	for _, f := range fields(v.Type()) {
		_, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if value := v.FieldByIndex(f.Index); option != "omitempty" || !empty(value) {
			all = append(all, pair{keyOf(f), value})
		}
	}
	return all
}

func keysOf(v reflect.Value) map[string]bool {
	keys := make(map[string]bool, v.Len())
	for _, k := range v.MapKeys() {
		keys[k.String()] = true
	}
	return keys
}

func empty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

// plain is text that YAML takes for nothing but text, in flow too; what looks
// like a date, a time or a number does not begin with a letter.
var plain = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9 _./@-]*[A-Za-z0-9])?$`)

// reserved are words that some reader of YAML takes for something else.
var reserved = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|null|y|n)$`)

// lengths are plain too: 90s, 1h30m, 28d.
var lengths = regexp.MustCompile(`^([0-9]+[wdhms])+$`)

func scalar(text string) string {
	if plain.MatchString(text) && !reserved.MatchString(text) || lengths.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}
