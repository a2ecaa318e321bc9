package blueprint_test

import (
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// dedupNotes are a plan's notes on the samples that a rule was tried on, of an
// integration whose rule was another one before, and of a new one.
func dedupNotes(t *testing.T, expression string) (notes []string) {
	t.Helper()
	s := begun()
	s.Integrations = []organization.IntegrationRecord{{Integration: catalog.Integration{ID: 1, Slug: "old", Name: "Old", Kind: catalog.KindSLO, Dedup: "event.sli"}}}
	text := "\nversion: 1\nintegrations:\n"
	for _, slug := range []string{"old", "new"} {
		text += "  - slug: " + slug + "\n    dedup: |-\n      " + expression + "\n"
	}
	p, err := parse(t, text).Plan(s, blueprint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range p.Notes {
		if strings.Contains(note, "sample breach") {
			notes = append(notes, note)
		}
	}
	return notes
}

func TestARuleThatMakesNoKeyOfASampleIsNoted(t *testing.T) {
	t.Parallel()
	const every, differ = "makes no key of a sample breach that has every field: ", "makes the same key of two sample breaches that differ in every field: "
	for expression, want := range map[string]string{
		`event.servce + event.sli`:                             every + "no such key: servce. ",
		`event.service + event.slo.nam`:                        every + "no such key: nam. ",
		`event.tenant + event.service`:                         every + "no such key: tenant. ",
		`event.incident_priority`:                              every + "it yields int and not text. ",
		`event.slo`:                                            every + "it yields map and not text. ",
		`event.?tenant.orValue(" ")`:                           every + "it yields nothing. ",
		`event["no\nsuch"]`:                                    every + "no such key: no such. ",
		`event.status == "recovered" ? event.gone : event.sli`: every + "no such key: gone. ",
		`"all"`: differ + `"all". `,
		`event.?Service.orValue("none") + event.?slos.orValue("")`: differ + `"none". `,
	} {
		notes := dedupNotes(t, expression)
		if len(notes) != 2 {
			t.Errorf("%s: %q", expression, notes)
			continue
		}
		for i, slug := range []string{"old", "new"} {
			if start := "integration " + slug + ": the dedup rule " + want; !strings.HasPrefix(notes[i], start) || !strings.Contains(notes[i], "Signals on which it fails keep the key without it.") {
				t.Errorf("%s: %q, want %q", expression, notes[i], start)
			}
		}
	}
}

// TestTheSamplesHaveEveryField of the wire format, and differ in each.
func TestTheSamplesHaveEveryField(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		`event.status`, `event.service`, `event.deployment`, `event.endpoint`, `event.sli`,
		`event.slo.name`, `string(event.slo.objective)`, `event.slo.window`,
		`string(event.incident_priority)`, `string(event.observed)`, `string(event.broken_by_percent)`,
		`string(event.error_budget.remaining_percent)`, `string(event.error_budget.depleted_percent)`,
		`event.error_budget.depletion_window`, `string(event.error_budget.burn_rate)`,
		`event.started_at`, `event.snooze`, `event.environment.cpu`, `event.environment.recycled`,
		`event.dependencies[0].service`, `string(event.dependencies[0].availability)`, `string(event.dependencies[0].error_budget_remaining_percent)`,
		`event.links[0].text`, `event.links[0].href`, `event.dedup_key`,
		`event.service + "/" + event.slo.name`, `event.?endpoint.orValue("") + event.sli`,
	} {
		if notes := dedupNotes(t, expression); len(notes) > 0 {
			t.Errorf("%s: %q", expression, notes)
		}
	}
}

// TestARuleThatStaysIsNotTriedAgain: the note came when it was new.
func TestARuleThatStaysIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	s := begun()
	s.Integrations = []organization.IntegrationRecord{{Integration: catalog.Integration{ID: 1, Slug: "old", Name: "Old", Kind: catalog.KindSLO, Dedup: "event.tenant"}}}
	want := "~ integration old: name Renamed (was Old)\n"
	if got := plan(t, "version: 1\nintegrations: [{slug: old, name: Renamed, dedup: event.tenant}]\n", s, blueprint.Options{}); got != want {
		t.Errorf("the plan is %q", got)
	}
	want = "~ integration old: dedup none (was event.tenant)\n! integration old: incidents that are open keep their dedup keys. Resolve by hand those that no recovery ends.\n"
	if got := plan(t, "version: 1\nintegrations: [{slug: old, dedup: \"\"}]\n", s, blueprint.Options{}); got != want {
		t.Errorf("the plan is %q", got)
	}
}
