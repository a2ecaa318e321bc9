package api

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// readMembers reads the members of a JSON object. An empty body is an empty object.
func readMembers(c echo.Context) (map[string]json.RawMessage, error) {
	r := c.Request()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, web.BodyError(err)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, fault.Unsupported("Send a body of Content-Type application/json.")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, fault.Malformed("The body is no JSON object.").Because(err)
	}
	return members, nil
}

// readBody reads a JSON object into a struct and returns its members by name. The
// fault names every field that is unknown or of the wrong type.
func readBody(c echo.Context, into any) (given map[string]json.RawMessage, err error) {
	members, err := readMembers(c)
	if err != nil {
		return nil, err
	}
	return members, assign(members, reflect.ValueOf(into).Elem())
}

func assign(members map[string]json.RawMessage, into reflect.Value) error {
	var faults []fault.Field
	for name, raw := range members {
		field := fieldNamed(into, name)
		if !field.IsValid() {
			faults = append(faults, unknownMember(name))
		} else if message := readMember(raw, field.Addr().Interface()); message != "" {
			faults = append(faults, fault.Field{Path: name, Message: message})
		}
	}
	return bodyFault(faults)
}

// readMember reads a member into a variable, and returns what is wrong with it; empty
// for nothing.
func readMember(raw json.RawMessage, into any) (message string) {
	if err := json.Unmarshal(raw, into); err != nil {
		return "must be " + typeName(reflect.TypeOf(into).Elem())
	}
	if value := reflect.ValueOf(into).Elem(); value.Kind() == reflect.String && !web.ValidText(value.String()) {
		return "must be text without NUL characters"
	}
	return ""
}

// missing is the message about a member that is required and not given, or empty.
const missing = "is missing"

// isGiven reports whether a body has a member that is not null.
func isGiven(members map[string]json.RawMessage, name string) bool {
	raw, ok := members[name]
	return ok && string(raw) != "null"
}

func unknownMember(name string) fault.Field {
	return fault.Field{Path: name, Message: "is not known here"}
}

// bodyFault is a fault about members, by their names; nil for none.
func bodyFault(faults []fault.Field) error {
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	return fault.Rejected(faults)
}

// fieldNamed finds a field by its name in JSON.
func fieldNamed(in reflect.Value, name string) reflect.Value {
	for i := range in.NumField() {
		if tag, _, _ := strings.Cut(in.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return in.Field(i)
		}
	}
	return reflect.Value{}
}

// typeName describes the JSON values of a type.
func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "a time as in RFC 3339, such as 2026-11-23T18:04:05Z"
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Int:
		return "a whole number or null"
	}
	return "of another type"
}
