package organization

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// overlay copies into a value what an edit gives, field by field.
func (d *draft) overlay(value, given any, t thing) {
	to, from := reflect.ValueOf(value).Elem(), reflect.ValueOf(given).Elem()
	for i := range to.NumField() {
		if t.given(keyOf(to.Type().Field(i))) {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// keyOf is the key of a field in the document.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

// differences says in words what is different between two values of one of the
// document's types, a phrase a field. Keys in except are left out.
func differences(before, after any, except ...string) []string {
	b, a := reflect.ValueOf(before), reflect.ValueOf(after)
	var words []string
	for i := range a.NumField() {
		key := keyOf(a.Type().Field(i))
		if !slices.Contains(except, key) && !same(b.Field(i), a.Field(i)) {
			words = append(words, difference(key, b.Field(i), a.Field(i)))
		}
	}
	return words
}

func difference(key string, before, after reflect.Value) string {
	phrase := strings.ReplaceAll(key, "_", " ")
	if key == "key" {
		return "key changed" // a secret
	}
	if b, ok := before.Interface().([]string); ok {
		return phrase + listDifference(b, after.Interface().([]string))
	}
	was, single := words(before)
	is, _ := words(after)
	if !single {
		return phrase + " changed"
	}
	return fmt.Sprintf("%s %s (was %s)", phrase, is, was)
}

// listDifference names what came and went; where nothing did, the order is
// what changed.
func listDifference(before, after []string) string {
	var phrases []string
	for _, s := range after {
		if !slices.Contains(before, s) {
			phrases = append(phrases, "+"+s)
		}
	}
	for _, s := range before {
		if !slices.Contains(after, s) {
			phrases = append(phrases, "-"+s)
		}
	}
	if phrases == nil {
		return " in another order"
	}
	return " " + strings.Join(phrases, " ")
}

// words are a single value's; ok is false for what is too large to repeat.
func words(v reflect.Value) (text string, ok bool) {
	switch t := v.Interface().(type) {
	case interface{ words() string }:
		return t.words(), true
	case encoding.TextMarshaler:
		b, err := t.MarshalText()
		return cmp.Or(string(b), "none"), err == nil
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() == 0 {
			return "none", true
		}
		if text := v.String(); len(text) <= 80 && !strings.Contains(text, "\n") {
			return text, true
		}
		return "", false
	case reflect.Bool, reflect.Int, reflect.Float64:
		return fmt.Sprint(v.Interface()), true
	case reflect.Struct:
		if v.NumField() == 1 { // chat
			return words(v.Field(0))
		}
	}
	return "", false
}

// same compares two values; nothing and an empty list or table are the same.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, k := range a.MapKeys() {
			if v := b.MapIndex(k); !v.IsValid() || !same(a.MapIndex(k), v) {
				return false
			}
		}
		return true
	default:
		return a.Interface() == b.Interface()
	}
}
