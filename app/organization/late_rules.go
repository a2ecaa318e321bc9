package organization

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

// LateRule is a personal rule that never fires in a step, since the step ends no later
// than the rule is due, whatever the priority.
type LateRule struct {
	User    string // email address
	Urgency string
	After   Duration
	Contact string // its id, such as sms
	Policy  string // its name
	Step    int    // counted from 1
	Ends    Duration
}

// Words are such as "The rule for high urgency to use call after 5m never fires in step
// 1 of Payments, which ends after 1m."
func (r LateRule) Words() string {
	return fmt.Sprintf("The rule for %s urgency to use %s after %s never fires in step %d of %s, which ends after %s.",
		r.Urgency, r.Contact, r.After, r.Step, r.Policy, r.Ends)
}

// lateRules are those of all people who may be paged, in the order of the policies.
func (d *Document) lateRules() []LateRule {
	people := map[string]User{}
	for _, u := range d.Users {
		if !u.Deactivated && slices.ContainsFunc(u.Rules, func(r Rule) bool { return r.After > 0 }) {
			people[u.Email] = u
		}
	}
	var late []LateRule
	for _, p := range d.EscalationPolicies {
		for i, s := range p.Steps {
			ends := s.Timeout
			for _, timeout := range s.TimeoutFor {
				ends = max(ends, timeout)
			}
			for _, email := range d.mayBePaged(s.Targets) {
				for _, r := range people[email].Rules {
					if r.After >= ends {
						late = append(late, LateRule{email, r.Urgency, r.After, r.Contact, cmp.Or(p.Name, p.Slug), i + 1, ends})
					}
				}
			}
		}
	}
	return late
}

// mayBePaged are the addresses of everybody whom targets may ever stand for, by the
// present definition of schedules, each once.
func (d *Document) mayBePaged(targets []Target) []string {
	var all []string
	for _, t := range targets {
		switch {
		case t.Schedule != "":
			for _, s := range d.Schedules {
				if s.Slug == t.Schedule {
					all = append(all, s.people(t.Position)...)
				}
			}
		case t.User != "":
			all = append(all, t.User)
		case t.Team != "":
			for _, team := range d.Teams {
				switch {
				case team.Slug != t.Team:
				case t.Role != "":
					all = append(all, team.Manager)
				default:
					all = append(all, team.Members...)
				}
			}
		default:
			for _, u := range d.Users {
				if auth.Role(u.Role) == auth.Role(t.Role) {
					all = append(all, u.Email)
				}
			}
		}
	}
	return sortedUnique(all)
}

// people are the addresses of everybody who may be on call in a position.
func (s Schedule) people(position string) []string {
	covers := func(list []string) bool { return len(list) == 0 || slices.Contains(list, position) }
	var all []string
	for _, l := range s.Layers {
		if covers(l.Positions) {
			all = append(all, l.Members...)
		}
	}
	for _, o := range s.Overrides {
		if o.Position == "" || o.Position == position {
			all = append(all, o.With, o.Add)
		}
	}
	return all
}

// maxLateRuleNotes bounds the notes of a plan on rules that never fire.
const maxLateRuleNotes = 16

// lateRuleNotes notes the rules that never fire once the plan is applied and that fire
// now.
func (d *draft) lateRuleNotes() {
	before := d.current.lateRules()
	var notes []string
	for _, r := range d.desired.lateRules() {
		if !slices.Contains(before, r) {
			notes = append(notes, fmt.Sprintf("%s: %s", r.User, r.Words()))
		}
	}
	if more := len(notes) - maxLateRuleNotes; more > 0 {
		notes = append(notes[:maxLateRuleNotes], fmt.Sprintf("%d more personal rules never fire.", more))
	}
	d.plan.Notes = append(d.plan.Notes, notes...)
}

// LateRules are the personal rules that never fire in a step, of one person or, for an
// empty address, of everybody.
func (v *View) LateRules(email string) []LateRule {
	if email == "" {
		return v.lateRules()
	}
	return slices.DeleteFunc(slices.Clone(v.lateRules()), func(r LateRule) bool { return r.User != email })
}
