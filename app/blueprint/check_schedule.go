package blueprint

import (
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

func (r *reader) schedule(s *Schedule, path string) {
	r.slug(path, &s.Slug, s.Name)
	r.line(path+".name", s.Name)
	r.zone(path+".timezone", s.Timezone, false)
	if r.file.given(path+".positions") && len(s.Positions) == 0 {
		r.wrongAt(path+".positions", "A schedule needs at least one position, such as main.")
	}
	r.noneTwice(path+".positions", s.Positions)
	each(r, path+".layers", s.Layers, r.layer, func(l *Layer) string { return l.Name })
	for i := range s.Shadows {
		at := fmt.Sprintf("%s.shadows[%d]", path, i)
		r.need(at, "user")
		person(&s.Shadows[i].User)
	}
	for i := range s.Overrides {
		r.override(&s.Overrides[i], fmt.Sprintf("%s.overrides[%d]", path, i))
	}
}

func (r *reader) layer(l *Layer, path string) {
	if r.need(path, "name") {
		r.line(path+".name", l.Name)
	}
	r.zone(path+".timezone", l.Timezone, true)
	people(l.Members)
	if r.need(path, "members") && len(l.Members) == 0 {
		r.wrongAt(path+".members", "A rotation needs at least one person.")
	}
	r.noneTwice(path+".positions", l.Positions)
	if l.Rotate != nil {
		r.rotate(l, path)
	}
	for i, w := range l.Restrictions {
		r.window(w, fmt.Sprintf("%s.restrictions[%d]", path, i))
	}
}

func (r *reader) rotate(l *Layer, path string) {
	if r.need(path+".rotate", "every") && l.Rotate.Every < 1 {
		r.wrongAt(path+".rotate.every", "A period lasts at least 1 unit.")
	}
	if r.need(path+".rotate", "unit") {
		switch oncall.Unit(l.Rotate.Unit) {
		case oncall.Hour, oncall.Day, oncall.Week, oncall.Month:
		default:
			r.wrongAt(path+".rotate.unit", "The unit is one of hour, day, week and month.")
		}
	}
	r.need(path, "start")
}

func (r *reader) window(w Window, path string) {
	r.need(path, "from")
	r.need(path, "to")
	for i, d := range w.Days {
		for _, earlier := range w.Days[:i] {
			if d == earlier {
				r.wrongAt(fmt.Sprintf("%s.days[%d]", path, i), "%v is there already.", d)
			}
		}
	}
	if w.From.String() == "24:00" {
		r.wrongAt(path+".from", "A window begins from 00:00 to 23:59.")
	}
}

func (r *reader) override(o *Override, path string) {
	person(&o.Replace)
	person(&o.With)
	person(&o.Add)
	person(&o.Remove)
	r.need(path, "from")
	r.need(path, "to")
	switch {
	case more(o.Replace, o.Add, o.Remove), o.Replace == "" && o.Add == "" && o.Remove == "", (o.Replace == "") != (o.With == ""):
		r.wrongAt(path, "An override is one of {replace, with}, {add} and {remove}.")
	case o.Replace != "" && o.Replace == o.With:
		r.wrongAt(path+".with", "Nobody can replace themselves.")
	}
}

func (r *reader) noneTwice(path string, names []string) {
	seen := map[string]bool{}
	for i, name := range names {
		if at := fmt.Sprintf("%s[%d]", path, i); name == "" {
			r.wrongAt(at, "This is empty.")
		} else if seen[name] {
			r.wrongAt(at, "%s is there already.", name)
		}
		seen[name] = true
	}
}
