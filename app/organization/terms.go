package organization

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Record is the hours as the catalog has them.
func (h *Hours) Record() *catalog.Hours {
	if h == nil {
		return nil
	}
	days := make([]string, len(h.Days))
	for i, d := range h.Days {
		days[i] = d.String()
	}
	return &catalog.Hours{Timezone: h.Timezone, Days: days, From: h.From.String(), To: h.To.String()}
}

// Version is the definition in the terms of package oncall, from an instant on.
// id numbers people by their address.
func (s Schedule) Version(id func(email string) int64, effective time.Time) oncall.Version {
	v := oncall.Version{Effective: effective, Zone: s.Timezone, Positions: inPositions(s.Positions), Layers: []oncall.Layer{}}
	for _, l := range s.Layers {
		v.Layers = append(v.Layers, l.layer(id))
	}
	for _, w := range s.Shadows {
		v.Shadows = append(v.Shadows, oncall.Shadow{Person: oncall.Person(id(w.User)), Position: oncall.Position(w.Position),
			From: w.From.In(s.Timezone), To: w.To.In(s.Timezone)})
	}
	return v
}

func (l Layer) layer(id func(email string) int64) oncall.Layer {
	layer := oncall.Layer{Name: l.Name, Zone: l.Timezone, Start: l.Start, Members: []oncall.Person{}, Positions: inPositions(l.Positions)}
	if l.Rotate != nil {
		layer.Rotate = &oncall.Rotate{Every: l.Rotate.Every, Unit: oncall.Unit(l.Rotate.Unit)}
	}
	for _, m := range l.Members {
		layer.Members = append(layer.Members, oncall.Person(id(m)))
	}
	for _, w := range l.Restrictions {
		layer.Restrictions = append(layer.Restrictions, oncall.Window{Days: w.Days, From: w.From, To: w.To})
	}
	return layer
}

func inPositions(list []string) []oncall.Position {
	var all []oncall.Position
	for _, p := range list {
		all = append(all, oncall.Position(p))
	}
	return all
}

// OnCall is the override in the terms of package oncall. Wall times without an
// offset are in zone.
func (o Override) OnCall(id func(email string) int64, zone string) oncall.Override {
	override := oncall.Override{From: o.From.In(zone), To: o.To.In(zone), Position: oncall.Position(o.Position), Reason: o.Reason}
	switch {
	case o.Replace != "":
		override.Kind, override.Out, override.In = oncall.Replace, oncall.Person(id(o.Replace)), oncall.Person(id(o.With))
	case o.Add != "":
		override.Kind, override.In = oncall.Add, oncall.Person(id(o.Add))
	default:
		override.Kind = oncall.Remove
		if o.Remove != Everyone {
			override.Out = oncall.Person(id(o.Remove))
		}
	}
	return override
}

// Numbers finds the ids of what a document names.
type Numbers struct {
	User, Team, Schedule func(name string) int64
	Level                func(priority string) int
}

// Definition is the policy in the terms of package escalation.
func (p Policy) Definition(n Numbers) escalation.Policy {
	policy := escalation.Policy{Repeat: p.Repeat, Fallback: n.targets(p.Fallback), Steps: []escalation.Step{}}
	for _, s := range p.Steps {
		step := escalation.Step{Timeout: s.Timeout.seconds(), Targets: n.targets(s.Targets)}
		for name, d := range s.TimeoutFor {
			if step.TimeoutFor == nil {
				step.TimeoutFor = map[int]int64{}
			}
			step.TimeoutFor[n.Level(name)] = d.seconds()
		}
		policy.Steps = append(policy.Steps, step)
	}
	return policy
}

func (n Numbers) targets(targets []Target) []escalation.Target {
	var all []escalation.Target
	for _, t := range targets {
		target := escalation.Target{Position: t.Position, Role: t.Role}
		switch {
		case t.Schedule != "":
			target.Schedule = n.Schedule(t.Schedule)
		case t.User != "":
			target.User = n.User(t.User)
		case t.Team != "":
			target.Team = n.Team(t.Team)
		}
		all = append(all, target)
	}
	return all
}
