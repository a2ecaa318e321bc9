package spelling_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/spelling"
)

func TestSlips(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"status", "status", 0},
		{"", "slo", 3},
		{"statu", "status", 1},
		{"statuss", "status", 1},
		{"stetus", "status", 1},
		{"statsu", "status", 1},
		{"tsatsu", "status", 2},
		{"kitten", "sitting", 3},
		{"abc", "cab", 2},
	} {
		if got := spelling.Slips(test.a, test.b); got != test.want {
			t.Errorf("%q is %d slips from %q, want %d", test.a, got, test.b, test.want)
		}
		if got := spelling.Slips(test.b, test.a); got != test.want {
			t.Errorf("%q is %d slips from %q, want %d", test.b, got, test.a, test.want)
		}
	}
}
