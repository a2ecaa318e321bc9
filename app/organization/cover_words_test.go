package organization

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCoverAndHoldInWords(t *testing.T) {
	t.Parallel()
	step := Step{Timeout: inSeconds(60), Targets: []Target{{User: "ana@acme.example"}}}
	held := step
	held.OutsideCover = "hold"
	was, is := Policy{Steps: []Step{step, step}}, Policy{Steps: []Step{step, held}}
	if diff := cmp.Diff([]string{"step 2: outside required cover hold (was pass)"}, policyPeople(was, is)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := (Windows{{From: 9 * 60, To: 17 * 60}}).words(); got != "09:00–17:00" {
		t.Errorf("every day is %q", got)
	}
	if got := (Windows{}).words(); got != "always" {
		t.Errorf("no window is %q", got)
	}
}
