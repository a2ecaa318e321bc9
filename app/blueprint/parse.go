package blueprint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// File is a document as somebody wrote it.
type File struct {
	// Name is for messages.
	Name string
	Document
	// places is where each value stands, by its path. A path that is not in it
	// was not given.
	places map[string]place
}

// mostBytes bounds a file, far above what a large organisation needs.
const mostBytes = 16 << 20

// Parse reads a file. Text like ${NAME} within a value is replaced from env,
// which is os.LookupEnv but for tests, and a name that is not set is a mistake;
// $${ stands for ${ itself.
//
// The error is a fault of kind invalid whose cause, Mistakes, lists all that is
// wrong with the file by itself. What is wrong with it given the configuration
// is for Plan to find.
func Parse(name string, data []byte, env func(string) (string, bool)) (*File, error) {
	f := &File{Name: name, places: map[string]place{}}
	r := reader{file: f, env: env}
	if body := r.body(data); body != nil {
		r.document(body)
	}
	if r.readable {
		r.unread = len(r.mistakes)
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
	// unread is how many of the mistakes are of values that could not be read.
	unread int
}

func (r *reader) body(data []byte) ast.Node {
	if len(data) > mostBytes {
		r.wrong(place{}, "", "The file is larger than %d MiB.", mostBytes>>20)
		return nil
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		at, message := place{}, err.Error()
		if y, ok := errors.AsType[yaml.Error](err); ok {
			message = "This is not YAML: " + y.GetMessage() + "."
			if t := y.GetToken(); t != nil {
				at = place{t.Position.Line, t.Position.Column}
			}
		}
		r.wrong(at, "", "%s", message)
		return nil
	}
	if len(file.Docs) > 1 {
		r.wrong(placeOf(file.Docs[1].Body), "", "A file is one document.")
		return nil
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		r.wrong(place{1, 1}, "", "The file is empty. It begins with version: %d.", FormatVersion)
		return nil
	}
	return file.Docs[0].Body
}

func (r *reader) wrong(at place, path, format string, args ...any) {
	r.mistakes = append(r.mistakes, Mistake{
		File: r.file.Name, Line: at.line, Column: at.column, Field: path, Message: fmt.Sprintf(format, args...),
	})
}

// wrongAt reports a mistake at a path, or at the nearest thing around it that
// stands in the file. What could not be read is not reported again for what it
// is not.
func (r *reader) wrongAt(path, format string, args ...any) {
	for _, m := range r.mistakes[:r.unread] {
		if m.Field != "" && within(path, m.Field) {
			return
		}
	}
	r.wrong(r.file.placeAt(path), path, format, args...)
}

// placeAt is where a path stands, or what is around it.
func (f *File) placeAt(path string) place {
	for {
		if at, ok := f.places[path]; ok || path == "" {
			return at
		}
		path = parent(path)
	}
}

// given reports whether the file has a value at a path.
func (f *File) given(path string) bool {
	_, ok := f.places[path]
	return ok
}

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
