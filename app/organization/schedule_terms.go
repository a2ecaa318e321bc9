package organization

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Version is the definition in the terms of package oncall, from an instant on.
// id numbers people by their address.
func (s Schedule) Version(id func(email string) int64, effective time.Time) oncall.Version {
	v := oncall.Version{Effective: effective, Zone: s.Timezone, Positions: inPositions(s.Positions), Layers: []oncall.Layer{}}
	for _, l := range s.Layers {
		v.Layers = append(v.Layers, l.layer(id))
	}
	v.RequiredCover = inWindows(s.RequiredCover)
	for _, w := range s.Shadows {
		v.Shadows = append(v.Shadows, oncall.Shadow{Person: oncall.Person(id(w.User)), Position: oncall.Position(w.Position),
			From: w.From.In(s.Timezone), To: w.To.In(s.Timezone)})
	}
	return v
}

func (l Layer) layer(id func(email string) int64) oncall.Layer {
	layer := oncall.Layer{Name: l.Name, Zone: l.Timezone, Start: l.Start, Members: []oncall.Person{}, Positions: inPositions(l.Positions),
		CountsOnlyCovered: l.CountsOnlyCovered}
	if l.Rotate != nil {
		layer.Rotate = &oncall.Rotate{Every: l.Rotate.Every, Unit: oncall.Unit(l.Rotate.Unit)}
	}
	for _, m := range l.Members {
		layer.Members = append(layer.Members, oncall.Person(id(m)))
	}
	layer.Restrictions = inWindows(l.Restrictions)
	return layer
}

func inWindows(list []Window) []oncall.Window {
	var all []oncall.Window
	for _, w := range list {
		all = append(all, oncall.Window{Days: w.Days, From: w.From, To: w.To})
	}
	return all
}

func windows(list []oncall.Window) []Window {
	var all []Window
	for _, w := range list {
		all = append(all, Window{w.Days, w.From, w.To})
	}
	return all
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

func (n names) schedule(s *State, k ScheduleRecord) Schedule {
	schedule := Schedule{Slug: k.Slug, Name: k.Name, Team: n.ref(KindTeam, k.TeamID)}
	if len(k.Schedule.Versions) > 0 {
		n.definition(&schedule, k.Schedule.Versions[len(k.Schedule.Versions)-1])
	}
	for _, o := range k.Schedule.Overrides {
		if o.To.After(s.At) {
			schedule.Overrides = append(schedule.Overrides, n.override(o, schedule.Timezone))
		}
	}
	return schedule
}

func (n names) definition(s *Schedule, v oncall.Version) {
	s.Timezone, s.Positions, s.Layers = v.Zone, positions(v.Positions), []Layer{}
	for _, l := range v.Layers {
		layer := Layer{Name: l.Name, Timezone: l.Zone, Start: l.Start, Members: n.people(l.Order()), Positions: positions(l.Positions),
			CountsOnlyCovered: l.CountsOnlyCovered}
		if l.Rotate != nil {
			layer.Rotate = &Rotate{l.Rotate.Every, string(l.Rotate.Unit)}
		}
		layer.Restrictions = windows(l.Restrictions)
		s.Layers = append(s.Layers, layer)
	}
	s.RequiredCover = windows(v.RequiredCover)
	for _, w := range v.Shadows {
		s.Shadows = append(s.Shadows, Shadow{n.of(KindUser, int64(w.Person)), string(w.Position), MomentIn(w.From, v.Zone), MomentIn(w.To, v.Zone)})
	}
}

func (n names) people(ids []oncall.Person) []string {
	emails := make([]string, len(ids))
	for i, id := range ids {
		emails[i] = n.of(KindUser, int64(id))
	}
	return emails
}

func positions(list []oncall.Position) []string {
	var all []string
	for _, p := range list {
		all = append(all, string(p))
	}
	return all
}

func (n names) override(o oncall.Override, zone string) Override {
	out, in := n.of(KindUser, int64(o.Out)), n.of(KindUser, int64(o.In))
	override := Override{From: MomentIn(o.From, zone), To: MomentIn(o.To, zone), Position: string(o.Position), Reason: o.Reason}
	switch {
	case o.Kind == oncall.Replace:
		override.Replace, override.With = out, in
	case o.Kind == oncall.Add:
		override.Add = in
	case o.Out == oncall.Nobody:
		override.Remove = Everyone
	default:
		override.Remove = out
	}
	return override
}
