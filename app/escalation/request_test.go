package escalation_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// What a person pages by hand waits for no support hours, whatever the incident's urgency.
func TestPagedByHandAtOnceOutsideSupportHours(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.roster.SupportHours = officeHours()
	var urgency incident.Urgency
	d.check = func(_ escalation.Due, c escalation.Change) { urgency = c.Urgency }
	d.begin(low, func(r *row) {
		r.Request = &incident.Request{Kind: incident.AskToAnswer, Targets: []escalation.Target{user(chiara)}, By: "ana@acme.example"}
	})
	d.advance(time.Second)
	if len(d.pages) != 1 || d.pages[0].UserID != chiara || urgency != incident.High {
		t.Errorf("%s urgency paged %s", urgency, d.paged())
	}
}
