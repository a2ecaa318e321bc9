package oncall

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// maxEvery bounds the length of a period, far above any real one.
const maxEvery = 10_000

// Validate returns a fault.Invalid that names every wrong field by its path in
// the definition, such as layers[0].members, or nil.
func (v Version) Validate() error {
	var p problems
	p.zone("timezone", v.Zone)
	if len(v.Positions) == 0 {
		p.add("positions", "A schedule needs at least one position, such as main.")
	}
	p.positions("positions", v.Positions, v.Positions)
	names := map[string]bool{}
	for i, l := range v.Layers {
		path := fmt.Sprintf("layers[%d]", i)
		switch {
		case strings.TrimSpace(l.Name) == "":
			p.add(path+".name", "A layer needs a name.")
		case names[l.Name]:
			p.add(path+".name", "There is another layer named %q.", l.Name)
		}
		names[l.Name] = true
		p.layer(path, l, v.Positions)
	}
	for i, s := range v.Shadows {
		p.shadow(fmt.Sprintf("shadows[%d]", i), s, v.Positions)
	}
	for i, w := range v.RequiredCover {
		p.window(fmt.Sprintf("required_cover[%d]", i), w)
	}
	return p.fault("The schedule is not valid.")
}

// Validate returns a fault.Invalid that names every wrong field, or nil. It does
// not tell whether the override matches anybody: Schedule.Unmatched does.
func (o Override) Validate() error {
	var p problems
	if o.From.IsZero() {
		p.add("from", "Say when the override begins.")
	}
	if !o.From.Before(o.To) {
		p.add("to", "The override has to end after it begins.")
	}
	switch o.Kind {
	case Replace:
		p.needs("out", o.Out, "Say who is replaced.")
		p.needs("in", o.In, "Say who takes over.")
		if o.Out != Nobody && o.Out == o.In {
			p.add("in", "Nobody can replace themselves.")
		}
	case Add:
		p.needs("in", o.In, "Say who is added.")
		if o.Out != Nobody {
			p.add("out", "An override that adds takes nobody off.")
		}
	case Remove:
		if o.In != Nobody {
			p.add("in", "An override that removes puts nobody on.")
		}
	default:
		p.add("kind", "An override is one of replace, add and remove.")
	}
	return p.fault("The override is not valid.")
}

// problems collects all field errors.
type problems []fault.Field

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (p *problems) needs(path string, person Person, message string) {
	if person == Nobody {
		p.add(path, "%s", message)
	}
}

func (p *problems) fault(message string) error {
	if len(*p) == 0 {
		return nil
	}
	return fault.Invalid("%s", message).With(*p...)
}

func (p *problems) zone(path, name string) {
	if _, err := location(name); err != nil {
		p.add(path, "%q is not a known time zone, such as Europe/Madrid.", name)
	}
}

func (p *problems) positions(path string, positions, known []Position) {
	for i, position := range positions {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case strings.TrimSpace(string(position)) == "":
			p.add(at, "A position needs a name.")
		case slices.Contains(positions[:i], position):
			p.add(at, "The position %q is there already.", position)
		case !slices.Contains(known, position):
			p.add(at, "The schedule has no position %q.", position)
		}
	}
}

func (p *problems) layer(path string, l Layer, known []Position) {
	if l.Zone != "" {
		p.zone(path+".timezone", l.Zone)
	}
	if len(l.Members) == 0 {
		p.add(path+".members", "A rotation needs at least one person.")
	}
	p.people(path+".members", l.Members)
	p.positions(path+".positions", l.Positions, known)
	p.rotation(path, l)
	for i, w := range l.Restrictions {
		p.window(fmt.Sprintf("%s.restrictions[%d]", path, i), w)
	}
	if l.Held != nil {
		if len(l.Held.Members) == 0 {
			p.add(path+".held.members", "The earlier list needs at least one person.")
		}
		p.people(path+".held.members", l.Held.Members)
	}
}

func (p *problems) people(path string, people []Person) {
	for i, person := range people {
		if person == Nobody {
			p.add(fmt.Sprintf("%s[%d]", path, i), "This is nobody.")
		}
	}
}

func (p *problems) rotation(path string, l Layer) {
	if w := l.Start; !w.IsZero() && !w.exists() {
		p.add(path+".start", "There is no such date and time.")
	}
	if l.Rotate == nil {
		return
	}
	if l.Start.IsZero() {
		p.add(path+".start", "Say when the first period begins, such as 2026-01-05 09:00.")
	}
	if l.Rotate.Every < 1 || l.Rotate.Every > maxEvery {
		p.add(path+".rotate.every", "A period lasts from 1 to %d units.", maxEvery)
	}
	if !slices.Contains([]Unit{Hour, Day, Week, Month}, l.Rotate.Unit) {
		p.add(path+".rotate.unit", "The unit is one of hour, day, week and month.")
	}
}

// exists reports whether a calendar has the date and a clock the time. Whether
// a zone skips it is no matter.
func (w WallTime) exists() bool {
	return w.Clock >= 0 && w.Clock < endOfDay && WallTimeOf(time.Unix(int64(w.reading()), 0).UTC()) == w
}

func (p *problems) window(path string, w Window) {
	for i, day := range w.Days {
		at := fmt.Sprintf("%s.days[%d]", path, i)
		switch {
		case day < Sunday || day > Saturday:
			p.add(at, "There is no such day of the week.")
		case slices.Contains(w.Days[:i], day):
			p.add(at, "The day %v is there already.", day)
		}
	}
	if w.From < 0 || w.From >= endOfDay {
		p.add(path+".from", "A window begins from 00:00 to 23:59.")
	}
	if w.To < 0 || w.To > endOfDay {
		p.add(path+".to", "A window ends from 00:00 to 24:00.")
	}
}

func (p *problems) shadow(path string, s Shadow, known []Position) {
	p.needs(path+".person", s.Person, "Say who the shadow is.")
	if s.Position != "" && !slices.Contains(known, s.Position) {
		p.add(path+".position", "The schedule has no position %q.", s.Position)
	}
	if s.span().empty() {
		p.add(path+".to", "The shadowing has to end after it begins.")
	}
}
