package organization

import (
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
)

// PagedTarget is a target of a policy's steps, with those whom it pages.
type PagedTarget struct {
	escalation.Target
	// People have no shadows among them, and nobody who cannot be reached.
	People []escalation.Reached
}

// PagedFor are the targets of the steps of a service's policy at an instant, in the
// order of the steps, each once; none where it has no policy. It is the answer to the
// question who is on call for a service, wherever it is asked.
func (v *View) PagedFor(service catalog.Service, at time.Time) []PagedTarget {
	if service.PolicyID == nil {
		return nil
	}
	var all []PagedTarget
	for _, step := range v.Policy(*service.PolicyID).Policy.Steps {
		for _, t := range step.Targets {
			if slices.ContainsFunc(all, func(p PagedTarget) bool { return p.Target == t }) {
				continue
			}
			people := v.Roster().Resolve([]escalation.Target{t}, at)
			all = append(all, PagedTarget{t, slices.DeleteFunc(people, func(r escalation.Reached) bool { return r.Shadow })})
		}
	}
	return all
}
