package escalation_test

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
)

func TestPageHasWhy(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.begin()
	d.advance(33 * time.Hour)
	until := time.Date(2026, 1, 12, 8, 0, 0, 0, time.UTC)
	for i, want := range map[int]escalation.Why{
		0: {Kind: "step", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Step: 1, Steps: 4, Run: 1, Runs: 4,
			Target: "main on call in Payments", Schedule: "payments", ScheduleName: "Payments", Position: "main", Layer: "weekly", Until: &until},
		4: {Kind: "step", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Step: 3, Steps: 4, Run: 1, Runs: 4,
			Target: "everyone in Payments"},
		11: {Kind: "step", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Step: 4, Steps: 4, Run: 2, Runs: 4,
			Target: "the manager of Payments"},
		24: {Kind: "fallback", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Run: 1, Target: "Dana Levi"},
		25: {Kind: "administrators", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Run: 1, Target: "every administrator"},
	} {
		if diff := gocmp.Diff(want, d.pages[i].why); diff != "" {
			t.Errorf("page %d (-want +got):\n%s", i, diff)
		}
	}
}

func ExampleWhy_Sentence() {
	for _, w := range []escalation.Why{
		{Kind: "step", Step: 3, PolicyName: "Payments", Target: "everyone in Payments"},
		{Kind: "step", Schedule: "payments", ScheduleName: "Payments", Position: "main"},
		{Kind: "handover", Schedule: "payments", ScheduleName: "Payments", Position: "main"},
		{Kind: "step", Schedule: "payments", Target: "main on call in Payments", Shadow: true},
		{Kind: "fallback", Schedule: "payments"},
		{Kind: "administrators"},
		{Kind: "raised"},
		{Kind: "still_on_it"},
	} {
		fmt.Println(w.Sentence())
	}
	// Output:
	// Step 3 of Payments pages everyone in Payments
	// You are main on call in Payments
	// You are main on call in Payments now, and nobody has acknowledged yet
	// You shadow main on call in Payments
	// Nobody answered, and you are the fallback
	// Nobody answered, and you are an administrator
	// You acknowledged this, and its priority was raised
	// You acknowledged this some time ago. Are you still on it?
}
