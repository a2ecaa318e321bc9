package organization

import (
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

func (c *checker) schedule(s *Schedule, path string) {
	c.slug(path, &s.Slug, s.Name)
	c.nameOrDefault(path+".name", s.Name)
	c.definition(s, path)
	for i := range s.Overrides {
		c.override(&s.Overrides[i], fmt.Sprintf("%s.overrides[%d]", path, i))
	}
}

// definition checks what a version of a schedule is made of.
func (c *checker) definition(s *Schedule, path string) {
	c.zone(path+".timezone", s.Timezone, c.takesDefault(s.Timezone))
	if c.given(path+".positions") && len(s.Positions) == 0 {
		c.problem(path+".positions", "A schedule needs at least one position, such as main.")
	}
	c.noneTwice(path+".positions", s.Positions)
	checkEach(c, path+".layers", s.Layers, c.layer, func(l *Layer) string { return l.Name })
	for i, w := range s.RequiredCover {
		c.window(w, fmt.Sprintf("%s.required_cover[%d]", path, i))
	}
	for i := range s.Shadows {
		at := fmt.Sprintf("%s.shadows[%d]", path, i)
		c.require(at, "user")
		normalizeAddress(&s.Shadows[i].User)
	}
}

func (c *checker) layer(l *Layer, path string) {
	if c.require(path, "name") {
		c.givenName(path+".name", l.Name)
	}
	c.zone(path+".timezone", l.Timezone, true)
	normalizeAddresses(l.Members)
	if c.require(path, "members") && len(l.Members) == 0 {
		c.problem(path+".members", "A rotation needs at least one person.")
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
	if c.require(path+".rotate", "every") && l.Rotate.Every < 1 {
		c.problem(path+".rotate.every", "A period lasts at least 1 unit.")
	}
	if c.require(path+".rotate", "unit") {
		switch oncall.Unit(l.Rotate.Unit) {
		case oncall.Hour, oncall.Day, oncall.Week, oncall.Month:
		default:
			c.problem(path+".rotate.unit", "The unit is one of hour, day, week and month.")
		}
	}
	c.require(path, "start")
}

func (c *checker) window(w Window, path string) {
	c.require(path, "from")
	c.require(path, "to")
	for i, d := range w.Days {
		for _, earlier := range w.Days[:i] {
			if d == earlier {
				c.problem(fmt.Sprintf("%s.days[%d]", path, i), "%v is there already.", d)
			}
		}
	}
	if w.From.String() == "24:00" {
		c.problem(path+".from", "A window begins from 00:00 to 23:59.")
	}
}

func (c *checker) override(o *Override, path string) {
	normalizeAddress(&o.Replace)
	normalizeAddress(&o.With)
	normalizeAddress(&o.Add)
	normalizeAddress(&o.Remove)
	c.require(path, "from")
	c.require(path, "to")
	switch {
	case moreThanOne(o.Replace, o.Add, o.Remove), o.Replace == "" && o.Add == "" && o.Remove == "", (o.Replace == "") != (o.With == ""):
		c.problem(path, "An override is one of {replace, with}, {add} and {remove}.")
	case o.Replace != "" && o.Replace == o.With:
		c.problem(join(path, "with"), "Nobody can replace themselves.")
	}
}

func (c *checker) noneTwice(path string, names []string) {
	seen := map[string]bool{}
	for i, name := range names {
		if at := fmt.Sprintf("%s[%d]", path, i); name == "" {
			c.problem(at, "This is empty.")
		} else if seen[name] {
			c.problem(at, "%s is there already.", name)
		}
		seen[name] = true
	}
}
