package incident_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestNumbersAsText(t *testing.T) {
	t.Parallel()
	for text, numbers := range map[string][]int64{"17": {17}, "17-20,31": {17, 18, 19, 20, 31}, "1-2,4-5": {1, 2, 4, 5}} {
		if got := incident.FormatNumbers(numbers); got != text {
			t.Errorf("%v is written %q, want %q", numbers, got, text)
		}
		if got, ok := incident.ParseNumbers(text, 10); !ok || !cmp.Equal(numbers, got) {
			t.Errorf("%q is read as %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "x", "0", "-1", "5-4", "1-11", "1-6,7-11", "1,", "1-", "1-9223372036854775807"} {
		if got, ok := incident.ParseNumbers(text, 10); ok {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
