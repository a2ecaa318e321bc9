package organization_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/organization"
)

func TestEveryFieldOfTheDocumentHasASection(t *testing.T) {
	t.Parallel()
	var fields, sections []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[organization.Document]()) {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		fields = append(fields, key)
	}
	for _, s := range organization.Sections() {
		sections = append(sections, s.Name)
	}
	slices.Sort(fields)
	slices.Sort(sections)
	if !slices.Equal(fields, sections) {
		t.Errorf("the document has %q, the sections are %q", fields, sections)
	}
}

func TestEditsPutTheWholeDocument(t *testing.T) {
	t.Parallel()
	s := testOrg()
	edits := s.Document().Edits(nil)
	var subjects []string
	for _, e := range edits {
		kind, key := organization.Subject(e)
		subjects = append(subjects, strings.TrimSpace(string(kind)+" "+key))
	}
	want := []string{"organization", "user ana@x.example", "user ben@x.example", "team payments", "schedule payments", "escalation policy payments", "service api"}
	if !slices.Equal(subjects, want) {
		t.Errorf("the edits are of %q", subjects)
	}
	if got := planned(s, edits...); got != "Nothing to change.\n" {
		t.Errorf("on the same state they plan\n%s", got)
	}
}
