package slack

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

func TestBundleLeadFitsItsState(t *testing.T) {
	t.Parallel()
	two := []notify.Subject{{Number: 1}, {Number: 2}}
	for want, m := range map[string]notify.Message{
		"*2 incidents need you.*":                     {Kind: notify.KindPage, Subjects: two},
		"*2 incidents: 2 resolved.*":                  {Kind: notify.KindChannel, Subjects: two, States: map[string]int{"resolved": 2}},
		"*2 incidents: 1 triggered, 1 acknowledged.*": {Kind: notify.KindChannel, Subjects: two, States: map[string]int{"acknowledged": 1, "triggered": 1}},
		"*12 incidents: 1 triggered, 11 resolved.*":   {Kind: notify.KindChannel, Subjects: two, More: 10, States: map[string]int{"resolved": 11, "triggered": 1}},
	} {
		if got := bundleLead(m); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
