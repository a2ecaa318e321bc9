package escalation_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*escalation.Policy)
		want   []string
	}{
		"nothing":              {func(*escalation.Policy) {}, nil},
		"no steps":             {func(p *escalation.Policy) { p.Steps = nil }, []string{"steps"}},
		"repeats below none":   {func(p *escalation.Policy) { p.Repeat = -1 }, []string{"repeat"}},
		"too many repeats":     {func(p *escalation.Policy) { p.Repeat = escalation.MaxRepeats + 1 }, []string{"repeat"}},
		"the most repeats":     {func(p *escalation.Policy) { p.Repeat = escalation.MaxRepeats }, nil},
		"a step for nobody":    {func(p *escalation.Policy) { p.Steps[1].Targets = nil }, []string{"steps[1].targets"}},
		"no timeout":           {func(p *escalation.Policy) { p.Steps[2].Timeout = 0 }, []string{"steps[2].timeout"}},
		"no timeout for P1":    {func(p *escalation.Policy) { p.Steps[0].TimeoutFor = map[int]int64{1: 0, 2: 1} }, []string{"steps[0].timeout_for.P1"}},
		"a fallback of two":    {func(p *escalation.Policy) { p.Fallback[0].Team = paymentsTeam }, []string{"fallback[0]"}},
		"no fallback":          {func(p *escalation.Policy) { p.Fallback = nil }, nil},
		"an empty target":      {func(p *escalation.Policy) { p.Steps[0].Targets = []escalation.Target{{}} }, []string{"steps[0].targets[0]"}},
		"a schedule alone":     {func(p *escalation.Policy) { p.Steps[0].Targets[0].Position = "" }, []string{"steps[0].targets[0]"}},
		"a schedule's role":    {func(p *escalation.Policy) { p.Steps[0].Targets[0].Role = "manager" }, []string{"steps[0].targets[0]"}},
		"a user's position":    {func(p *escalation.Policy) { p.Fallback[0].Position = "main" }, []string{"fallback[0]"}},
		"a team's position":    {func(p *escalation.Policy) { p.Steps[2].Targets[0].Position = "main" }, []string{"steps[2].targets[0]"}},
		"a team's responders":  {func(p *escalation.Policy) { p.Steps[3].Targets[0].Role = "responder" }, []string{"steps[3].targets[0]"}},
		"a role":               {func(p *escalation.Policy) { p.Fallback[0] = escalation.Target{Role: "responder"} }, nil},
		"a role that is none":  {func(p *escalation.Policy) { p.Fallback[0] = escalation.Target{Role: "cook"} }, []string{"fallback[0]"}},
		"several at once":      {func(p *escalation.Policy) { p.Repeat, p.Steps[0].Timeout = -1, -1 }, []string{"repeat", "steps[0].timeout"}},
		"a role with a place":  {func(p *escalation.Policy) { p.Fallback[0] = escalation.Target{Role: "manager", Position: "main"} }, []string{"fallback[0]"}},
		"a user and a role":    {func(p *escalation.Policy) { p.Fallback[0].Role = "manager" }, []string{"fallback[0]"}},
		"a schedule and a man": {func(p *escalation.Policy) { p.Steps[0].Targets[0].User = ana }, []string{"steps[0].targets[0]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := workedExample()
			p.Steps[0].Targets = slices.Clone(p.Steps[0].Targets)
			c.change(&p)
			var got []string
			var f *fault.Error
			if err := p.Validate(); errors.As(err, &f) {
				if f.Kind != fault.KindInvalid {
					t.Errorf("a fault of kind %s", f.Kind)
				}
				for _, field := range f.Fields {
					got = append(got, field.Path)
				}
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStepAfter(t *testing.T) {
	t.Parallel()
	s := escalation.Step{Timeout: 3600, TimeoutFor: map[int]int64{1: 300}}
	one, two := 1, 2
	if s.After(&one) != 5*time.Minute || s.After(&two) != time.Hour || s.After(nil) != time.Hour {
		t.Errorf("%s, %s, %s", s.After(&one), s.After(&two), s.After(nil))
	}
}
