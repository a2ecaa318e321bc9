package auth

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestNormalizeEmail(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ana@example.com":       "ana@example.com",
		"  Ana.Ortiz@ACME.test": "ana.ortiz@acme.test",
		"ana+oncall@acme.test":  "ana+oncall@acme.test",
	} {
		if got, err := NormalizeEmail(in); got != want || err != nil {
			t.Errorf("NormalizeEmail(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "ana", "@acme.test", "Ana <ana@acme.test>", "ana@acme.test, ben@acme.test",
		"ana@acme.test\nbcc: x@y.z", "a\xff@acme.test", strings.Repeat("a", 250) + "@acme.test",
	} {
		if got, err := NormalizeEmail(in); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("NormalizeEmail(%q) = %q, %v, want it invalid", in, got, err)
		}
	}
}

func TestProfileNamesAllInvalidFields(t *testing.T) {
	t.Parallel()
	_, err := Profile{Email: "x", Name: " ", Role: "boss", Timezone: "Local"}.Check()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a fault", err)
	}
	var paths []string
	for _, field := range f.Fields {
		paths = append(paths, field.Path)
	}
	if diff := cmp.Diff([]string{"email", "role", "name", "timezone"}, paths); diff != "" {
		t.Errorf("wrong fields (-want +got):\n%s", diff)
	}
	for _, name := range []string{strings.Repeat("x", 101), "Ana\nOrtiz", "\xff"} {
		if _, err := (Profile{Email: "a@b.test", Name: name, Role: Responder}).Check(); err == nil {
			t.Errorf("the name %q is taken", name)
		}
	}
}

func TestProfileIsNormalized(t *testing.T) {
	t.Parallel()
	got, err := Profile{Email: " Ana@Acme.test ", Name: " Ana Ortiz ", Role: Responder, Timezone: "Europe/Madrid"}.Check()
	want := Profile{Email: "ana@acme.test", Name: "Ana Ortiz", Role: Responder, Timezone: "Europe/Madrid"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestRolesAreOrdered(t *testing.T) {
	t.Parallel()
	for i, r := range Roles {
		for j, least := range Roles {
			if got := r.AtLeast(least); got != (i >= j) {
				t.Errorf("%s at least %s: %v", r, least, got)
			}
		}
		if Read.AtLeast(r) {
			t.Errorf("the scope read counts as %s", r)
		}
		if got, err := ParseRole(string(r)); got != r || err != nil {
			t.Errorf("ParseRole(%q) = %q, %v", r, got, err)
		}
	}
	if _, err := ParseRole("read"); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a person's role read: %v, want it invalid", err)
	}
	if got, err := ParseScope("read"); got != Read || err != nil {
		t.Errorf("the scope read: %q, %v", got, err)
	}
	if _, err := ParseScope(""); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("no scope: %v, want it invalid", err)
	}
}
