package document

import (
	"errors"
	"strconv"
)

// Object is an object as Go has it, without what is null.
func (v Value) Object() map[string]any {
	all := map[string]any{}
	for name, member := range v.Members() {
		if member.Given() {
			all[name.Text()] = member.Plain()
		} else {
			delete(all, name.Text())
		}
	}
	return all
}

// Plain is a value as Go has it: a map, a list, a string, an int64 or float64, a
// boolean, or nil. It goes no deeper than Parse lets a body be. A number of digits
// alone is an int64, or where it is too large for one the text of its digits, so
// that ids stay apart; any other is the float64 next to it.
func (v Value) Plain() any {
	switch {
	case v.IsObject():
		return v.Object()
	case v.IsArray():
		all := []any{}
		for _, element := range v.Elements() {
			all = append(all, element.Plain())
		}
		return all
	case v.IsString():
		return v.Text()
	case v.IsNumber():
		n, err := strconv.ParseInt(string(v), 10, 64)
		switch {
		case err == nil:
			return n
		case errors.Is(err, strconv.ErrRange):
			return string(v)
		}
		f, _ := strconv.ParseFloat(string(v), 64) // what is too large is infinite
		return f
	case !v.Given():
		return nil
	}
	return v == "true"
}
