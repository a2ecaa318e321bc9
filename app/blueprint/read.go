package blueprint

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tocsin-oncall/tocsin/app/spelling"
)

// unsupported are the sections of the whole format that this version does not have.
// They are refused by name: a section that was ignored would look as if it was
// applied. One that organization.Document gets is no longer looked up here.
var unsupported = map[string]bool{
	"roles": true, "severities": true, "dispatch_rules": true, "management_group": true, "impacted_by": true,
	"stakeholder_groups": true, "stakeholder_rings": true, "status_pages": true,
	"organization.business_hours": true, "organization.holidays": true,
	"teams.business_hours": true, "teams.holidays": true,
	"error_budget_policies": true, "runbooks": true, "slas": true,
}

// document reads the top level into the file.
func (r *reader) document(body ast.Node) {
	if _, ok := pairs(body); !ok {
		r.mistake(placeOf(body), "", "The file has to be a mapping that begins with version: %d.", FormatVersion)
		return
	}
	r.readable = true
	r.read(body, reflect.ValueOf(&r.file.document).Elem(), "")
}

func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// read puts a node into a value of one of the document's types.
func (r *reader) read(n ast.Node, v reflect.Value, path string) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		r.file.unread[path] = true
		r.mistake(placeOf(n), path, "Anchors, aliases and tags are not part of this format.")
		return
	case *ast.NullNode:
		r.file.unread[path] = true
		r.mistake(placeOf(n), path, "This is empty. Leave it out, or write the empty value: \"\", [] or {}.")
		return
	}
	if path != "" {
		r.file.places[path] = placeOf(n)
	}
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if text, ok := r.text(n, path); ok {
			if err := t.UnmarshalText([]byte(text)); err != nil {
				r.mistake(placeOf(n), path, "%s.", capitalize(err.Error()))
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.read(n, v.Elem(), path)
	case reflect.Struct:
		r.mapping(n, v, path)
	case reflect.Slice:
		r.list(n, v, path)
	case reflect.Map:
		r.table(n, v, path)
	default:
		r.scalar(n, v, path)
	}
}

func (r *reader) mapping(n ast.Node, v reflect.Value, path string) {
	values, ok := pairs(n)
	if !ok {
		r.mistake(placeOf(n), path, "This has to be a mapping with the keys %s.", strings.Join(keys(v.Type()), ", "))
		return
	}
	for _, pair := range values {
		key, at := pair.Key.GetToken().Value, placeOf(pair.Key)
		inside := join(path, key)
		field, known := fieldOf(v, key)
		switch {
		case known:
			r.read(pair.Value, field, inside)
		case unsupported[withoutIndexes(inside)]:
			r.mistake(at, inside, "%s (line %d) is not part of this version of Tocsin.", key, at.line)
		default:
			r.mistake(at, inside, "There is no key %s here.%s", key, spelling.DidYouMean(key, keys(v.Type())))
		}
	}
}

func (r *reader) list(n ast.Node, v reflect.Value, path string) {
	items, ok := n.(*ast.SequenceNode)
	if !ok {
		r.mistake(placeOf(n), path, "This has to be a list.")
		return
	}
	list := reflect.MakeSlice(v.Type(), len(items.Values), len(items.Values))
	for i, item := range items.Values {
		r.read(item, list.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	v.Set(list)
}

// table reads a mapping whose keys are free.
func (r *reader) table(n ast.Node, v reflect.Value, path string) {
	values, ok := pairs(n)
	if !ok {
		r.mistake(placeOf(n), path, "This has to be a mapping.")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, pair := range values {
		key := pair.Key.GetToken().Value
		element := reflect.New(v.Type().Elem()).Elem()
		r.read(pair.Value, element, join(path, key))
		v.SetMapIndex(reflect.ValueOf(key), element)
	}
}

func (r *reader) scalar(n ast.Node, v reflect.Value, path string) {
	text, ok := r.text(n, path)
	if !ok {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			r.mistake(placeOf(n), path, "%q is neither true nor false.", text)
		}
		v.SetBool(text == "true")
	case reflect.Int:
		i, err := strconv.Atoi(text)
		if err != nil {
			r.mistake(placeOf(n), path, "%q is not a whole number.", text)
		}
		v.SetInt(int64(i))
	case reflect.Float64:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			r.mistake(placeOf(n), path, "%q is not a number.", text)
		}
		v.SetFloat(number)
	default:
		panic("blueprint: no way to read a " + v.Type().String())
	}
}

// text is a scalar as it was written, without quotes, with the environment in
// it. A number is as good a text as any: a version, a telephone number.
func (r *reader) text(n ast.Node, path string) (string, bool) {
	var text string
	switch n := n.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		text = n.GetToken().Value
	default:
		r.mistake(placeOf(n), path, "This has to be a single value.")
		return "", false
	}
	return r.expand(text, placeOf(n), path)
}

var reference = regexp.MustCompile(`\$?\$\{[^}]*\}?`)

// expand replaces ${NAME} from the environment.
func (r *reader) expand(text string, at place, path string) (string, bool) {
	valid := true
	text = reference.ReplaceAllStringFunc(text, func(match string) string {
		if rest, escaped := strings.CutPrefix(match, "$$"); escaped {
			return "$" + rest
		}
		name, closed := strings.CutSuffix(strings.TrimPrefix(match, "${"), "}")
		value, set := "", false
		if closed {
			value, set = r.env(name)
		}
		switch {
		case !closed:
			r.mistake(at, path, "%q begins with ${ and has no }. Write $${ for the characters themselves.", match)
			valid = false
		case !set:
			r.mistake(at, path, "The environment variable %s is not set.", name)
			valid = false
		}
		return value
	})
	return text, valid
}

// escape is the opposite of expand.
func escape(text string) string { return strings.ReplaceAll(text, "${", "$${") }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

var index = regexp.MustCompile(`\[\d+\]`)

func withoutIndexes(path string) string { return index.ReplaceAllString(path, "") }

// fieldOf is the field that a key of a mapping stands for.
func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for _, f := range fields(v.Type()) {
		if keyOf(f) == key {
			return v.FieldByIndex(f.Index), true
		}
	}
	return reflect.Value{}, false
}

// fields are those of a type, with those of embedded types in their place.
func fields(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.Anonymous })
}

func keys(t reflect.Type) []string {
	var all []string
	for _, f := range fields(t) {
		all = append(all, keyOf(f))
	}
	return all
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

func capitalize(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
