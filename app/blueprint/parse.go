// Package blueprint is the file format of the configuration: it reads the YAML
// that `tocsin apply -f` takes into edits of package organization, names file,
// line and field of what is wrong with them, and writes a configuration as such a
// file.
//
// What a file does not mention stays, down to single fields; a list that is given
// replaces the list. What people own, overrides that were made in the app and
// whatever is over stay too: see package organization.
package blueprint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"

	"github.com/tocsin-oncall/tocsin/app/organization"
)

// FormatVersion is the version of the format that this package reads and
// writes.
const FormatVersion = 1

// document is what a file contains.
type document struct {
	Version int `yaml:"version"`
	organization.Document
}

// File is a configuration as somebody wrote it.
type File struct {
	// Name is for messages.
	Name     string
	document document
	edits    []organization.Edit
	// places is where each value is, by its path. A path that is not in it was not
	// given.
	places map[string]place
	// unread are the paths of values that could not be read, which were given too.
	unread map[string]bool
}

// Parse reads a file of that name. Text like ${NAME} within a value is replaced from env,
// which is os.LookupEnv but for tests, and a name that is not set is a mistake;
// $${ stands for ${ itself.
//
// The error is a fault of kind invalid whose cause, Mistakes, lists all that is
// wrong with the file by itself. What is wrong with it given the configuration
// is for Plan to find.
func Parse(name string, data []byte, env func(string) (string, bool)) (*File, error) {
	f := &File{Name: name, places: map[string]place{}, unread: map[string]bool{}}
	r := reader{file: f, env: env}
	if body := r.body(data); body != nil {
		r.document(body)
	}
	if r.readable {
		r.check()
	}
	if err := r.mistakes.fault(name); err != nil {
		return nil, err
	}
	return f, nil
}

// reader reads one file, and goes on after a mistake where it can.
type reader struct {
	file     *File
	env      func(string) (string, bool)
	mistakes Mistakes
	// readable tells that the text is YAML and a mapping.
	readable bool
}

// check finds what is wrong with what was read. What could not be read is not
// reported again for what it is not.
func (r *reader) check() {
	f := r.file
	unread := slices.Clone(r.mistakes)
	switch {
	case !f.Given("version"):
		r.mistake(place{1, 1}, "version", "Say which version of the format this is: version: %d.", FormatVersion)
	case f.document.Version != FormatVersion:
		r.mistake(f.placeAt("version"), "version", "This version of Tocsin reads version %d of the format.", FormatVersion)
	}
	f.edits = f.document.Edits(f)
	r.mistakes = append(r.mistakes, f.mistakes(organization.Check(f.edits))...)
	known := func(m Mistake) bool {
		return slices.ContainsFunc(unread, func(u Mistake) bool { return u.Field != "" && within(m.Field, u.Field) })
	}
	r.mistakes = append(unread, slices.DeleteFunc(r.mistakes[len(unread):], known)...)
}

func (r *reader) body(data []byte) ast.Node {
	if len(data) > maxBytes {
		r.mistake(place{}, "", "The file is larger than %d MiB.", maxBytes>>20)
		return nil
	}
	if tooMany(data) {
		r.mistake(place{}, "", "The file has too many values. Apply it in parts: what a file does not mention stays.")
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if t, message := new(depths).check(tokens); t != nil {
		r.mistake(place{t.Position.Line, t.Position.Column}, "", "%s", message)
		return nil
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		at, message := place{}, err.Error()
		if y, ok := errors.AsType[yaml.Error](err); ok {
			message = "This is not YAML: " + y.GetMessage() + "."
			if t := y.GetToken(); t != nil {
				at = place{t.Position.Line, t.Position.Column}
			}
		}
		r.mistake(at, "", "%s", message)
		return nil
	}
	if len(file.Docs) > 1 {
		r.mistake(placeOf(file.Docs[1].Body), "", "A file is one document.")
		return nil
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		r.mistake(place{1, 1}, "", "The file is empty. It begins with version: %d.", FormatVersion)
		return nil
	}
	return file.Docs[0].Body
}

func (r *reader) mistake(at place, path, format string, args ...any) {
	r.mistakes = append(r.mistakes, Mistake{
		File: r.file.Name, Line: at.line, Column: at.column, Field: path, Message: fmt.Sprintf(format, args...),
	})
}

// placeAt is where a path is, or the nearest thing around it.
func (f *File) placeAt(path string) place {
	for {
		if at, ok := f.places[path]; ok || path == "" {
			return at
		}
		path = parent(path)
	}
}

// Given implements organization.Source.
func (f *File) Given(path string) bool {
	_, ok := f.places[path]
	return ok || f.unread[path]
}

// Where implements organization.Source.
func (f *File) Where(path string) string { return fmt.Sprintf("line %d", f.placeAt(path).line) }

// within reports whether a path is another, or inside of it.
func within(path, around string) bool {
	rest, ok := strings.CutPrefix(path, around)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// parent is the path of what is around: "a[0].b" of "a[0].b[1]".
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}

// placeOf is where a node begins.
func placeOf(n ast.Node) place {
	if n == nil {
		return place{}
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return place{}
	}
	return place{t.Position.Line, t.Position.Column}
}
