package organization

import (
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Hours are recurring hours of work. Without a zone they go by the
// organisation's.
type Hours struct {
	Timezone string           `yaml:"timezone,omitempty"`
	Days     []oncall.Weekday `yaml:"days"`
	From     oncall.Clock     `yaml:"from"`
	To       oncall.Clock     `yaml:"to"`
}

func (c *checker) hours(path string, h *Hours) {
	if h == nil {
		return
	}
	c.zone(path+".timezone", h.Timezone, true)
	if c.require(path, "days") && len(h.Days) == 0 {
		c.problem(path+".days", "Name at least one day.")
	}
	c.require(path, "from")
	c.require(path, "to")
}

// hoursOf leaves out what cannot be read.
func hoursOf(h *catalog.Hours) *Hours {
	if h == nil {
		return nil
	}
	hours := &Hours{Timezone: h.Timezone, Days: []oncall.Weekday{}}
	for _, name := range h.Days {
		var d oncall.Weekday
		if d.UnmarshalText([]byte(name)) == nil {
			hours.Days = append(hours.Days, d)
		}
	}
	_ = hours.From.UnmarshalText([]byte(h.From))
	_ = hours.To.UnmarshalText([]byte(h.To))
	return hours
}

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
