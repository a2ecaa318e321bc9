package blueprint_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
)

const coverFile = `version: 1
users:
  - {email: ana@acme.example, name: Ana, contacts: [{id: sms, type: sms, value: "+34600000001"}, {id: mail, type: email, value: ana@acme.example}],
     rules: [{urgency: high, after: 0s, contact: sms}, {urgency: high, after: 5m, contact: mail}]}
  - {email: stan@acme.example, name: Stan, role: stakeholder}
schedules:
  - slug: payments
    positions: [main]
    required_cover: [{days: [mon, fri], from: "09:00", to: "17:00"}]
    layers: [{name: office, members: [MEMBER]}]
escalation_policies:
  - slug: payments
    steps: [{timeout: 60s, outside_cover: hold, targets: [{schedule: payments, position: main}]}]
`

func coverOf(member string) string { return strings.Replace(coverFile, "MEMBER", member, 1) }

func TestCoverAndHoldAreReadAndPlanned(t *testing.T) {
	t.Parallel()
	f := parse(t, coverOf("ana@acme.example"))
	plan, err := f.Plan(begun(), blueprint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ana@acme.example: The rule for high urgency to use mail after 5m never fires in step 1 of payments, which ends after 1m."}
	if diff := cmp.Diff(want, plan.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	for _, wrong := range []struct{ old, new, want string }{
		{"outside_cover: hold", "outside_cover: wait", "escalation_policies[0].steps[0].outside_cover: This is pass or hold."},
		{`from: "09:00"`, `from: "24:00"`, "schedules[0].required_cover[0].from: A window begins from 00:00 to 23:59."},
	} {
		_, err := blueprint.Parse("acme.yaml", []byte(strings.Replace(coverOf("ana@acme.example"), wrong.old, wrong.new, 1)), noEnv)
		if got := mistakes(err); !strings.HasSuffix(got, wrong.want) {
			t.Errorf("%s: %s", wrong.new, got)
		}
	}
}

func TestStakeholderInScheduleIsRefused(t *testing.T) {
	t.Parallel()
	f := parse(t, coverOf("stan@acme.example"))
	_, err := f.Plan(begun(), blueprint.Options{})
	const want = "acme.yaml:10:39: schedules[0].layers[0].members[0]: stan@acme.example is a stakeholder, and pages are for responders, managers and administrators."
	if got := mistakes(err); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
