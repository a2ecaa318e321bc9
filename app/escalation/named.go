package escalation

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Named are the targets that a field names, which is one of incident.TargetKinds or
// "user": people by email address or id, teams and schedules by slug or id. It is a
// fault of kind invalid about the field where a name is unknown, or stands for nobody
// who can be paged at an instant.
func (r *Roster) Named(field string, names []string, at time.Time) ([]incident.NamedTarget, error) {
	var found []incident.NamedTarget
	for _, name := range names {
		if name == "" {
			continue
		}
		target, ok := r.find(field, name)
		if !ok {
			return nil, unnamed(field, fmt.Sprintf("There is no %s %q.", singular[field], name))
		}
		words := r.describe(target)
		if len(r.Resolve(r.inAllPositions(target, at), at)) == 0 {
			return nil, unnamed(field, nobodyWords(field, words))
		}
		if !slices.ContainsFunc(found, func(t incident.NamedTarget) bool { return t.Target == target }) {
			found = append(found, incident.NamedTarget{Target: target, Name: words})
		}
	}
	return found, nil
}

var singular = map[string]string{"users": "person", "user": "person", "teams": "team", "schedules": "schedule"}

func unnamed(field, message string) error {
	return fault.Invalid("%s", message).With(fault.Field{Path: field, Message: message})
}

func nobodyWords(field, name string) string {
	switch field {
	case "teams":
		return "Nobody in " + name + " can be paged: no verified contact method."
	case "schedules":
		return "Nobody who can be paged is " + name + " now."
	}
	return name + " cannot be paged: no verified contact method."
}

func (r *Roster) find(field, name string) (Target, bool) {
	id, _ := strconv.ParseInt(name, 10, 64)
	switch field {
	case "users", "user":
		for user, p := range r.People {
			if user == id || p.Email == name {
				return Target{User: user}, true
			}
		}
	case "teams":
		for team, t := range r.Teams {
			if team == id || t.Slug == name {
				return Target{Team: team}, true
			}
		}
	case "schedules":
		for schedule, s := range r.Schedules {
			if schedule == id || s.Slug == name {
				return Target{Schedule: schedule}, true
			}
		}
	}
	return Target{}, false
}

// AskedFirst are the people whom a request to a whole schedule pages first, at an
// instant.
func (r *Roster) AskedFirst(schedule int64, at time.Time) []Reached {
	for _, t := range r.inAllPositions(Target{Schedule: schedule}, at) {
		if people := r.Resolve([]Target{t}, at); AnyNonShadow(people) {
			return people
		}
	}
	return nil
}

// positions are those of a schedule at an instant, main first.
func (r *Roster) positions(schedule int64, at time.Time) []oncall.Position {
	version, _ := r.Schedules[schedule].Schedule.VersionAt(at)
	return version.Positions
}

// inAllPositions are the targets that a target of a request stands for, in the order in
// which they are asked.
func (r *Roster) inAllPositions(t Target, at time.Time) []Target {
	if t.Schedule == 0 || t.Position != "" {
		return []Target{t}
	}
	var all []Target
	for _, position := range r.positions(t.Schedule, at) {
		all = append(all, Target{Schedule: t.Schedule, Position: string(position)})
	}
	return all
}
