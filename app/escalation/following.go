package escalation

import "github.com/tocsin-oncall/tocsin/app/incident"

// Following are the steps after the one that an escalation is at, which counts itself
// where it has not fired, and the fallback last. There are none after the steps.
func (p Policy) Following(s State, fired bool) []incident.NextStep {
	if s.Phase != PhaseSteps && s.Phase != PhaseWaiting {
		return nil
	}
	first := s.Step
	if fired {
		first++
	}
	var next []incident.NextStep
	for i := first; i < len(p.Steps); i++ {
		next = append(next, incident.NextStep{Step: i + 1, Targets: p.Steps[i].Targets})
	}
	if len(p.Fallback) > 0 {
		next = append(next, incident.NextStep{Targets: p.Fallback})
	}
	return next
}
