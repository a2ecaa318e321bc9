package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

// descriptionURL is what the description is called among schemas; nothing is read from it.
const descriptionURL = "https://tocsin.example.com/openapi.json"

// description is the OpenAPI file that is served. `make openapi` checks that it is a
// valid one; here it is held against the server. An OpenAPI 3.1 schema is a JSON Schema
// of draft 2020-12.
type description struct {
	root    map[string]any
	schemas *jsonschema.Compiler
}

func described(t *testing.T, a *webtest.App) *description {
	t.Helper()
	w := a.Do("GET", "/api/v1/openapi.json", "")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("the description is answered %d", w.Code)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	d := &description{root: root.(map[string]any), schemas: jsonschema.NewCompiler()}
	d.schemas.DefaultDraft(jsonschema.Draft2020)
	d.schemas.AssertFormat()
	if err := d.schemas.AddResource(descriptionURL, root); err != nil {
		t.Fatal(err)
	}
	return d
}

// find is what stands at a place, each "$ref" on the way followed, and where that is;
// nil where nothing is.
func (d *description) find(place ...string) (value any, at []string) {
	value = any(d.root)
	for _, key := range place {
		object, _ := value.(map[string]any)
		if value = object[key]; value == nil {
			return nil, nil
		}
		at = append(at, key)
		object, _ = value.(map[string]any)
		if ref, ok := object["$ref"].(string); ok {
			return d.find(append(strings.Split(strings.TrimPrefix(ref, "#/"), "/"), place[len(at):]...)...)
		}
	}
	return value, at
}

// operation is the object of an operation; nil where none is described.
func (d *description) operation(method, path string) map[string]any {
	found, _ := d.find("paths", path, strings.ToLower(method))
	operation, _ := found.(map[string]any)
	return operation
}

// operations are all that is described, as "GET /incidents/{number}".
func (d *description) operations() []string {
	var all []string
	for path, item := range d.root["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				all = append(all, strings.ToUpper(method)+" "+path)
			}
		}
	}
	return all
}

// query are the names of the parameters in the query of an operation, in their order.
func (d *description) query(method, path string) []string {
	var names []string
	parameters, _ := d.operation(method, path)["parameters"].([]any)
	for _, p := range parameters {
		parameter := p.(map[string]any)
		if ref, ok := parameter["$ref"].(string); ok {
			found, _ := d.find(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			parameter = found.(map[string]any)
		}
		if parameter["in"] == "query" {
			names = append(names, parameter["name"].(string))
		}
	}
	return names
}

// fields are the names of the fields that an operation's body may have.
func (d *description) fields(method, path string) []string {
	properties, _ := d.find("paths", path, strings.ToLower(method), "requestBody", "content", "application/json", "schema", "properties")
	object, _ := properties.(map[string]any)
	return slices.Sorted(maps.Keys(object))
}

// template is the path that is described for the path of a request, the very path first.
func (d *description) template(path string) string {
	paths, asked := d.root["paths"].(map[string]any), strings.Split(path, "/")
	if _, described := paths[path]; described {
		return path
	}
	for template := range paths {
		parts := strings.Split(template, "/")
		if len(parts) == len(asked) && fits(parts, asked) {
			return template
		}
	}
	return ""
}

func fits(template, path []string) bool {
	for i, part := range template {
		if part != path[i] && !strings.HasPrefix(part, "{") {
			return false
		}
	}
	return true
}

// check says in what an answer differs from what is described.
func (d *description) check(method, path string, status int, header http.Header, body []byte) error {
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	answers := []string{"paths", d.template(path), strings.ToLower(method), "responses", strconv.Itoa(status)}
	answer, _ := d.find(answers...)
	if answer == nil {
		return errors.New("no such answer is described")
	}
	if _, described := answer.(map[string]any)["content"]; !described {
		if len(body) > 0 {
			return errors.New("an answer without a body is described")
		}
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return d.validate(value, append(answers, "content", kind, "schema")...)
}

// validate holds a value against the schema at a place.
func (d *description) validate(value any, place ...string) error {
	_, at := d.find(place...)
	if at == nil {
		return fmt.Errorf("nothing is described at %q", place)
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	pointer := ""
	for _, key := range at {
		pointer += "/" + escape.Replace(key)
	}
	schema, err := d.schemas.Compile(descriptionURL + (&url.URL{Fragment: pointer}).String())
	if err != nil {
		return err
	}
	return schema.Validate(value)
}
