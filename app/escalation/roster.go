package escalation

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Why explains a page to the person paged: rule, policy, step, schedule, layer,
// override. It is stored with the page, by the configuration of that time.
type Why struct {
	// Asker is the name of whoever asks for it, where Kind is "request": for what, an
	// incident.RequestKind, and with which message.
	Asker   string `json:"asker,omitempty"`
	Request string `json:"request,omitempty"`
	Message string `json:"message,omitempty"`
	// Kind is "request", "step", "handover", "fallback", "administrators", "test", or for a page
	// to the owner: "raised" (the priority was raised), "worse" (the severity is
	// worse), "joined" (another alert joined the group), "still_on_it".
	Kind string `json:"kind"`
	// Rule is how the policy was found: "Checkout API's escalation policy".
	Rule       string `json:"rule,omitempty"`
	Policy     string `json:"policy,omitempty"` // slug
	PolicyName string `json:"policy_name,omitempty"`
	Step       int    `json:"step,omitempty"` // counted from 1
	Steps      int    `json:"steps,omitempty"`
	Run        int    `json:"run,omitempty"` // counted from 1
	Runs       int    `json:"runs,omitempty"`
	// Target is the target as text: "main on call in Payments".
	Target       string     `json:"target"`
	Schedule     string     `json:"schedule,omitempty"` // slug
	ScheduleName string     `json:"schedule_name,omitempty"`
	Position     string     `json:"position,omitempty"`
	Layer        string     `json:"layer,omitempty"`
	Override     int64      `json:"override,omitempty"`
	Until        *time.Time `json:"until,omitempty"` // the end of the shift
	Shadow       bool       `json:"shadow,omitempty"`
}

// Reached is one person that a target resolves to.
type Reached struct {
	UserID int64
	Shadow bool
	Why    Why
}

// Roster resolves the targets of policies to people, by one version of the
// configuration. It is immutable.
type Roster struct {
	// Version is the version of the configuration it was made from.
	Version   int64
	Schedules map[int64]NamedSchedule
	Teams     map[int64]Team
	People    map[int64]Person
	Services  map[int64]string // names, for "Checkout API's escalation policy"
	// SupportHours are those of services, by id, that low urgency waits for. A service
	// that is left out has none.
	SupportHours map[int64]oncall.Hours
}

// NamedSchedule is a schedule with its slug and name.
type NamedSchedule struct {
	Slug, Name string
	Schedule   oncall.Schedule
}

// Team is a team as a target.
type Team struct {
	Slug, Name string
	Manager    int64 // 0 for none
	Members    []int64
}

// Person is a user as a target.
type Person struct {
	Name, Email, Role string
	// Reachable says that there is a verified contact method on a configured channel.
	// A person without one is never resolved to.
	Reachable bool
	// Unreachable says why not: "no verified contact method".
	Unreachable string
}

// At is a roster at an instant.
func (r *Roster) At(at time.Time) Resolver { return rosterAt{r, at} }

type rosterAt struct {
	*Roster
	at time.Time
}

// Resolve implements Resolver.
func (r rosterAt) Resolve(d Decision) []Reached { return r.Roster.Resolve(d.Targets, r.at) }

// NextCover implements Resolver.
func (r rosterAt) NextCover(d Decision) time.Time { return r.Roster.NextCover(d.Targets, r.at) }

// Resolve returns the reachable people that targets stand for at an instant, each
// once, in the order of the targets.
func (r *Roster) Resolve(targets []Target, at time.Time) []Reached {
	var found []Reached
	for _, t := range targets {
		for _, p := range r.peopleOf(t, at) {
			if !r.People[p.UserID].Reachable {
				continue
			}
			i := slices.IndexFunc(found, func(f Reached) bool { return f.UserID == p.UserID })
			switch {
			case i < 0:
				found = append(found, p)
			case found[i].Shadow && !p.Shadow:
				found[i] = p // on call counts for more than shadowing
			}
		}
	}
	return found
}

// Unreached returns the people that targets stand for at an instant and who cannot be
// reached, each once, with the reason. Shadows are left out.
func (r *Roster) Unreached(targets []Target, at time.Time) []incident.Unreached {
	var all []incident.Unreached
	for _, t := range targets {
		for _, p := range r.peopleOf(t, at) {
			person := r.People[p.UserID]
			named := slices.ContainsFunc(all, func(u incident.Unreached) bool { return u.Person == p.UserID })
			if !person.Reachable && !p.Shadow && !named && person.Name != "" {
				all = append(all, incident.Unreached{Person: p.UserID, Reason: person.Unreachable})
			}
		}
	}
	return all
}

// NextCover is the first instant from at on at which a schedule among the targets has
// to be covered: at itself within required cover. Zero where there is no schedule.
func (r *Roster) NextCover(targets []Target, at time.Time) time.Time {
	var next time.Time
	for _, t := range targets {
		if t.Schedule == 0 {
			continue
		}
		if cover := r.Schedules[t.Schedule].Schedule.NextCover(at); !cover.IsZero() && (next.IsZero() || cover.Before(next)) {
			next = cover
		}
	}
	return next
}

// Opens is the first instant from at on within the support hours of a service: at
// itself while they last, and for a service without them.
func (r *Roster) Opens(service int64, at time.Time) time.Time {
	return r.SupportHours[service].Next(at)
}

// peopleOf lists everyone a target stands for, reachable or not.
func (r *Roster) peopleOf(t Target, at time.Time) []Reached {
	var all []Reached
	add := func(id int64, w Why) { all = append(all, Reached{UserID: id, Why: w}) }
	words := r.describe(t)
	switch {
	case t.Schedule != 0:
		return r.onCall(t, at)
	case t.User != 0:
		add(t.User, Why{Target: words})
	case t.Team != 0 && t.Role == "manager":
		if m := r.Teams[t.Team].Manager; m != 0 {
			add(m, Why{Target: words})
		}
	case t.Team != 0:
		for _, id := range r.Teams[t.Team].Members {
			add(id, Why{Target: words})
		}
	case t.Role != "":
		for _, id := range r.withRole(t.Role) {
			add(id, Why{Target: words})
		}
	}
	return all
}

func (r *Roster) onCall(t Target, at time.Time) []Reached {
	var all []Reached
	named := r.Schedules[t.Schedule]
	for _, shift := range named.Schedule.OnCall(at, oncall.Position(t.Position)) {
		w := Why{
			Target: r.describe(t), Schedule: named.Slug, ScheduleName: named.Name, Position: t.Position,
			Layer: shift.Layer, Override: shift.Override, Shadow: shift.Shadow,
		}
		if !shift.End.IsZero() {
			end := shift.End.UTC()
			w.Until = &end
		}
		all = append(all, Reached{UserID: int64(shift.Person), Shadow: shift.Shadow, Why: w})
	}
	return all
}

func (r *Roster) withRole(role string) []int64 {
	var ids []int64
	for id, p := range r.People {
		if p.Role == role {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, cmp.Compare)
	return ids
}

// NextHandover is the next instant after at when a schedule among the targets hands
// over; zero for never.
func (r *Roster) NextHandover(targets []Target, at time.Time) time.Time {
	var next time.Time
	for _, t := range targets {
		if t.Schedule == 0 {
			continue
		}
		change := r.Schedules[t.Schedule].Schedule.NextHandover(at, oncall.Position(t.Position))
		if !change.IsZero() && (next.IsZero() || change.Before(next)) {
			next = change
		}
	}
	return next
}

// Describe returns each target as text, for people.
func (r *Roster) Describe(targets []Target) []string {
	words := make([]string, len(targets))
	for i, t := range targets {
		words[i] = r.describe(t)
	}
	return words
}

func (r *Roster) describe(t Target) string {
	switch {
	case t.Schedule != 0 && t.Position == "":
		return "on call in " + r.Schedules[t.Schedule].Name
	case t.Schedule != 0:
		return fmt.Sprintf("%s on call in %s", t.Position, r.Schedules[t.Schedule].Name)
	case t.User != 0:
		return r.People[t.User].Name
	case t.Team != 0 && t.Role != "":
		return fmt.Sprintf("the %s of %s", t.Role, r.Teams[t.Team].Name)
	case t.Team != 0:
		return "everyone in " + r.Teams[t.Team].Name
	default:
		return fmt.Sprintf("every %s", t.Role)
	}
}

// Question asks whoever acknowledged whether they still work on it; empty where the page
// asks for something else.
func (w Why) Question() string {
	switch w.Kind {
	case "still_on_it":
		return "Still on it?"
	case "raised":
		return "Priority raised. Still on it?"
	case "worse":
		return "It got worse. Still on it?"
	case "joined":
		return "Another alert fires. Still on it?"
	}
	return ""
}

// Sentence is the reason as one line for the person paged.
func (w Why) Sentence() string {
	switch {
	case w.Shadow:
		return fmt.Sprintf("You shadow %s", w.Target)
	case w.Kind == whyRequest:
		return w.requestSentence()
	case w.Kind == "raised":
		return "You acknowledged this, and its priority was raised"
	case w.Kind == "worse":
		return "You acknowledged this, and it got worse"
	case w.Kind == "joined":
		return "You acknowledged this, and another alert of its group fires"
	case w.Kind == "still_on_it":
		return "You acknowledged this some time ago. Are you still on it?"
	case w.Kind == "fallback":
		return "Nobody answered, and you are the fallback"
	case w.Kind == "administrators":
		return "Nobody answered, and you are an administrator"
	case w.Schedule != "" && w.Kind == "handover":
		return fmt.Sprintf("You are %s on call in %s now, and nobody has acknowledged yet", w.Position, w.ScheduleName)
	case w.Schedule != "":
		return fmt.Sprintf("You are %s on call in %s", w.Position, w.ScheduleName)
	default:
		return fmt.Sprintf("Step %d of %s pages %s", w.Step, w.PolicyName, w.Target)
	}
}
