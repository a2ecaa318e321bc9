package blueprint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
)

// A file that the parser would take minutes over is refused by its shape. The times are
// far above what is needed, and far below what the parser takes.
func TestDeepAndLongFilesAreRefused(t *testing.T) {
	const kib = 1 << 10
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"brackets":         {strings.Repeat("[", 50*kib), "f:1:33: The file is nested too deeply here."},
		"closed brackets":  {"a: " + strings.Repeat("[", 50*kib) + strings.Repeat("]", 50*kib), "nested too deeply"},
		"braces":           {strings.Repeat("{a: ", 50*kib), "nested too deeply"},
		"entries":          {strings.Repeat("- ", 50*kib), "nested too deeply"},
		"keys in a line":   {strings.Repeat("a: ", 50*kib), "nested too deeply"},
		"keys in brackets": {"[" + strings.Repeat("a: ", 50*kib), "nested too deeply"},
		"complex keys":     {strings.Repeat("? ", 50*kib), "nested too deeply"},
		"keys in steps":    {steps(50), "f:33:34: The file is nested too deeply here."},
		"closing only":     {strings.Repeat("]", 50*kib), "f:1:1: This is not YAML: the bracket was not opened."},
		"anchors":          {strings.Repeat("&a ", 50*kib), "not part of this format"},
		"aliases":          {strings.Repeat("*a ", 50*kib), "not part of this format"},
		"tags":             {strings.Repeat("!a ", 50*kib), "not part of this format"},
		"many values":      {"a: [" + strings.Repeat("b,", 1<<20) + "]", "too many values"},
		"many bytes":       {"a: " + strings.Repeat("b", 4<<20), "larger than 4 MiB"},
	} {
		began := time.Now()
		_, err := blueprint.Parse("f", []byte(c.text), func(string) (string, bool) { return "", false })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.200v, want %s", name, err, c.want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

// steps are keys, each within the one before.
func steps(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// A file with much beside one another is not nested deeply.
func TestWideFilesAreRead(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\nteams:\n")
	for i := range 2000 {
		name := strings.Repeat("x", i%40+1)
		b.WriteString("  - {slug: " + name + ", name: \"[[" + name + "\"}\n")
	}
	_, err := blueprint.Parse("f", []byte(b.String()), func(string) (string, bool) { return "", false })
	if err != nil && (strings.Contains(err.Error(), "deeply") || strings.Contains(err.Error(), "not YAML")) {
		t.Errorf("%.300v", err)
	}
}
