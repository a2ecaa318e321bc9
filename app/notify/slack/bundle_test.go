package slack

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

func TestBundleLeadFitsItsState(t *testing.T) {
	t.Parallel()
	subjects := func(states ...string) []notify.Subject {
		var all []notify.Subject
		for i, state := range states {
			all = append(all, notify.Subject{Number: int64(i + 1), Status: state})
		}
		return all
	}
	for want, m := range map[string]notify.Message{
		"*2 incidents need you.*":                 {Kind: notify.KindPage, Subjects: subjects("triggered", "triggered")},
		"*2 incidents: 2 resolved.*":              {Kind: notify.KindChannel, Subjects: subjects("resolved", "resolved")},
		"*3 incidents: 1 triggered, 2 resolved.*": {Kind: notify.KindChannel, Subjects: subjects("resolved", "triggered", "resolved")},
		"*12 incidents changed.*":                 {Kind: notify.KindChannel, Subjects: subjects("resolved", "triggered"), More: 10},
	} {
		if got := bundleLead(m); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
