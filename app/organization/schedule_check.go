package organization

import (
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

func (c *checker) schedule(s *Schedule, path string) {
	c.slug(path, &s.Slug, s.Name)
	c.name(path+".name", s.Name)
	c.definition(s, path)
	for i := range s.Overrides {
		c.override(&s.Overrides[i], fmt.Sprintf("%s.overrides[%d]", path, i))
	}
}

// definition checks what a version of a schedule is made of.
func (c *checker) definition(s *Schedule, path string) {
	c.zone(path+".timezone", s.Timezone, c.leftOpen(s.Timezone))
	if c.given(path+".positions") && len(s.Positions) == 0 {
		c.wrong(path+".positions", "A schedule needs at least one position, such as main.")
	}
	c.noneTwice(path+".positions", s.Positions)
	each(c, path+".layers", s.Layers, c.layer, func(l *Layer) string { return l.Name })
	for i := range s.Shadows {
		at := fmt.Sprintf("%s.shadows[%d]", path, i)
		c.need(at, "user")
		person(&s.Shadows[i].User)
	}
}

func (c *checker) layer(l *Layer, path string) {
	if c.need(path, "name") {
		c.line(path+".name", l.Name)
	}
	c.zone(path+".timezone", l.Timezone, true)
	people(l.Members)
	if c.need(path, "members") && len(l.Members) == 0 {
		c.wrong(path+".members", "A rotation needs at least one person.")
	}
	c.noneTwice(path+".positions", l.Positions)
	if l.Rotate != nil {
		c.rotate(l, path)
	}
	for i, w := range l.Restrictions {
		c.window(w, fmt.Sprintf("%s.restrictions[%d]", path, i))
	}
}

func (c *checker) rotate(l *Layer, path string) {
	if c.need(path+".rotate", "every") && l.Rotate.Every < 1 {
		c.wrong(path+".rotate.every", "A period lasts at least 1 unit.")
	}
	if c.need(path+".rotate", "unit") {
		switch oncall.Unit(l.Rotate.Unit) {
		case oncall.Hour, oncall.Day, oncall.Week, oncall.Month:
		default:
			c.wrong(path+".rotate.unit", "The unit is one of hour, day, week and month.")
		}
	}
	c.need(path, "start")
}

func (c *checker) window(w Window, path string) {
	c.need(path, "from")
	c.need(path, "to")
	for i, d := range w.Days {
		for _, earlier := range w.Days[:i] {
			if d == earlier {
				c.wrong(fmt.Sprintf("%s.days[%d]", path, i), "%v is there already.", d)
			}
		}
	}
	if w.From.String() == "24:00" {
		c.wrong(path+".from", "A window begins from 00:00 to 23:59.")
	}
}

func (c *checker) override(o *Override, path string) {
	person(&o.Replace)
	person(&o.With)
	person(&o.Add)
	person(&o.Remove)
	c.need(path, "from")
	c.need(path, "to")
	switch {
	case more(o.Replace, o.Add, o.Remove), o.Replace == "" && o.Add == "" && o.Remove == "", (o.Replace == "") != (o.With == ""):
		c.wrong(path, "An override is one of {replace, with}, {add} and {remove}.")
	case o.Replace != "" && o.Replace == o.With:
		c.wrong(join(path, "with"), "Nobody can replace themselves.")
	}
}

func (c *checker) noneTwice(path string, names []string) {
	seen := map[string]bool{}
	for i, name := range names {
		if at := fmt.Sprintf("%s[%d]", path, i); name == "" {
			c.wrong(at, "This is empty.")
		} else if seen[name] {
			c.wrong(at, "%s is there already.", name)
		}
		seen[name] = true
	}
}
