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
		{sealedForm{Route: incidentRoute + "take-over", Path: "/incidents/17/take-over"}, PendingWords{"You have NOT taken over #17 yet.", "take it over", "Take over #17"}},
		{sealedForm{Route: "/incidents/acknowledge", Fields: url.Values{"number": {"1"}}}, PendingWords{"The incident is NOT acknowledged yet.", "acknowledge it", "Acknowledge it"}},
		{sealedForm{Route: "/incidents/resolve", Fields: several}, PendingWords{"2 incidents are NOT resolved yet.", "resolve them", "Resolve 2 incidents"}},
		{sealedForm{Route: "/page"}, PendingWords{"Nobody is paged yet.", "page them", "Page them"}},
		{sealedForm{Route: "/me/profile"}, PendingWords{"What you entered is NOT saved yet.", "save it", "Save it"}},
	} {
		if got := wordsOf(test.form); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.form.Route, got, test.want)
		}
	}
}
