package page

import (
	"net/url"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestPendingActsHaveWords(t *testing.T) {
	t.Parallel()
	for _, kind := range incident.ActKinds {
		if _, ok := actWords[kind.Name]; kind.Web && !ok {
			t.Errorf("%s has no words", kind.Name)
		}
	}
}

func TestPendingWords(t *testing.T) {
	t.Parallel()
	several := url.Values{"number": {"1", "2"}}
	for _, test := range []struct {
		form sealedForm
		want PendingWords
	}{
		{sealedForm{Route: incidentRoute + "take-over", Path: "/incidents/17/take-over"}, PendingWords{"You have NOT taken over #17 yet.", "Take over #17", "Do not take over"}},
		{sealedForm{Route: "/incidents/acknowledge", Fields: url.Values{"number": {"1"}}}, PendingWords{"The incident is NOT acknowledged yet.", "Acknowledge it", "Do not acknowledge"}},
		{sealedForm{Route: "/incidents/resolve", Fields: several}, PendingWords{"2 incidents are NOT resolved yet.", "Resolve 2 incidents", "Do not resolve"}},
		{sealedForm{Route: "/page"}, PendingWords{"Nobody is paged yet.", "Page them", "Do not page"}},
		{sealedForm{Route: "/me/profile"}, PendingWords{"What you entered is NOT saved yet.", "Save it", "Discard"}},
	} {
		if got := wordsOf(test.form); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.form.Route, got, test.want)
		}
	}
}
