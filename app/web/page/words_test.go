package page

import (
	"strings"
	"testing"
)

func TestLocalAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"/incidents?tab=mine":   "/incidents?tab=mine",
		"":                      "/",
		"//evil.example":        "/",
		"///evil.example":       "/", // browsers drop the empty host
		`/\evil.example`:        "/",
		"https://evil.example/": "/",
		"javascript:alert(1)":   "/",
		"/\tevil":               "/",
		"incidents":             "/",
	} {
		if got := LocalAddress(address); got != want {
			t.Errorf("%q leads to %q, want %q", address, got, want)
		}
	}
}

func TestDaysText(t *testing.T) {
	t.Parallel()
	for names, want := range map[string]string{
		"mon tue wed thu fri": "Mon–Fri", "sat sun": "Sat, Sun", "mon wed thu fri sun": "Mon, Wed–Fri, Sun", "": "Every day", "tue": "Tue",
	} {
		if got := DaysText(strings.Fields(names)); got != want {
			t.Errorf("%q is %q, want %q", names, got, want)
		}
	}
}
