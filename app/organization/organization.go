package organization

import "github.com/tocsin-oncall/tocsin/app/catalog"

// KindOrganization is the kind of what holds for the whole organisation.
const KindOrganization Kind = "organization"

// Organization is what holds for the whole organisation.
type Organization struct {
	Name            string `yaml:"name,omitempty"`
	Timezone        string `yaml:"timezone,omitempty"`
	SupportHours    *Hours `yaml:"support_hours,omitempty"`
	CatchAllService string `yaml:"catch_all_service,omitempty"`
}

// SetOrganization changes what holds for the whole organisation.
type SetOrganization = Put[Organization]

func organizationSection() section {
	return &single[Organization]{
		kind:        KindOrganization,
		name:        "organization",
		in:          func(d *Document) **Organization { return &d.Organization },
		describeOne: func(s *State, n names) *Organization { return n.organization(s.Organization) },
		check:       (*checker).organization,
		references:  func(v Organization, refer referFunc) { refer("catch_all_service", KindService, v.CatchAllService) },
	}
}

func (c *checker) organization(o *Organization, path string) {
	c.zone(path+".timezone", o.Timezone, false)
	c.givenName(path+".name", o.Name)
	c.hours(path+".support_hours", o.SupportHours)
}

func (n names) organization(o catalog.Organization) *Organization {
	return &Organization{Name: o.Name, Timezone: o.Timezone, SupportHours: hoursOf(o.SupportHours),
		CatchAllService: n.ref(KindService, o.CatchAllServiceID)}
}
