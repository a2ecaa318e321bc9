package ingest

import (
	"fmt"
	"slices"
	"strings"
)

// Formats are the wire formats that are registered.
type Formats struct {
	all    []*Format
	byKind map[string]*Format
	byPath map[string]*Format
}

// NewFormats registers formats. It fails where one is incomplete, or where two
// share a kind or a path.
func NewFormats(formats ...Format) (*Formats, error) {
	r := &Formats{byKind: map[string]*Format{}, byPath: map[string]*Format{}}
	for i := range formats {
		f := &formats[i]
		if err := f.check(); err != nil {
			return nil, err
		}
		if r.byKind[f.Kind] != nil {
			return nil, fmt.Errorf("wire format %s: registered twice", f.Kind)
		}
		for _, e := range f.Endpoints {
			if other := r.byPath[e.Path]; other != nil {
				return nil, fmt.Errorf("wire format %s: path %s belongs to %s", f.Kind, e.Path, other.Kind)
			}
			r.byPath[e.Path] = f
		}
		r.byKind[f.Kind] = f
		r.all = append(r.all, f)
	}
	return r, nil
}

func (f *Format) check() error {
	switch {
	case f.Kind == "" || f.Name == "":
		return fmt.Errorf("wire format %q: kind or name missing", f.Kind)
	case f.Decode == nil || f.Answer == nil || f.Snippets == nil:
		return fmt.Errorf("wire format %s: Decode, Answer or Snippets missing", f.Kind)
	case len(f.Endpoints) == 0:
		return fmt.Errorf("wire format %s: no endpoint", f.Kind)
	}
	for _, e := range f.Endpoints {
		if e.Method == "" || !strings.HasPrefix(e.Path, "/") || strings.HasSuffix(e.Path, "/") {
			return fmt.Errorf("wire format %s: invalid endpoint %s %q", f.Kind, e.Method, e.Path)
		}
		if (e.Key == nil) != (e.Redact == nil) {
			return fmt.Errorf("wire format %s: Key without Redact, or Redact without Key, at %s", f.Kind, e.Path)
		}
	}
	return nil
}

// All are the formats in the order of registration; they must not be changed.
func (r *Formats) All() []*Format { return r.all }

// Kinds are the formats' kinds, sorted.
func (r *Formats) Kinds() []string {
	kinds := make([]string, 0, len(r.byKind))
	for kind := range r.byKind {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Kind is the format of integrations of a kind.
func (r *Formats) Kind(kind string) (*Format, bool) {
	f, ok := r.byKind[kind]
	return f, ok
}

// Endpoint is the format that owns a path, and its endpoint there.
func (r *Formats) Endpoint(path string) (*Format, *Endpoint, bool) {
	f, ok := r.byPath[path]
	if !ok {
		return nil, nil, false
	}
	i := slices.IndexFunc(f.Endpoints, func(e Endpoint) bool { return e.Path == path })
	return f, &f.Endpoints[i], true
}
