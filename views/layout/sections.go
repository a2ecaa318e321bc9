package layout

// Section is a page of the navigation, or of the reader's own.
type Section string

// The sections.
const (
	Incidents    Section = "incidents"
	OnCall       Section = "oncall"
	Schedules    Section = "schedules"
	Policies     Section = "policies"
	Services     Section = "services"
	Teams        Section = "teams"
	People       Section = "people"
	Integrations Section = "integrations"
	Channels     Section = "channels"
	Account      Section = "account"
	Start        Section = "start"
)

// Sees says which sections a person may see, and what they may begin from
// anywhere. On call is open to all.
type Sees struct {
	Incidents    bool
	Catalog      bool // services
	Schedules    bool
	Policies     bool
	Teams        bool
	People       bool
	Integrations bool
	Channels     bool
	// Contacts are the addresses of people.
	Contacts bool
	// Start keeps Getting started in the navigation until the first run is
	// through.
	Start bool
	// Open is opening an incident, Page is paging somebody.
	Open, Page bool
}

// entry is a section as the navigation shows it.
type entry struct {
	id         Section
	href, text string
	sees       func(Sees) bool
}

// group is sections that the navigation shows as one. It leads to the first that
// the reader sees; the others are in the row below.
type group struct {
	text, icon string
	entries    []entry
	// inMore is for a group that a phone shows behind More.
	inMore bool
}

// groups are the whole navigation: a new page is a line here.
var groups = []group{
	{text: "Getting started", icon: "check-check", inMore: true, entries: []entry{
		{Start, "/start", "Getting started", func(s Sees) bool { return s.Start }},
	}},
	{text: "Incidents", icon: "siren", entries: []entry{
		{Incidents, "/incidents", "Incidents", func(s Sees) bool { return s.Incidents }},
	}},
	{text: "On call", icon: "calendar-clock", entries: []entry{
		{OnCall, "/oncall", "Now", func(Sees) bool { return true }},
		{Schedules, "/schedules", "Schedules", func(s Sees) bool { return s.Schedules }},
		{Policies, "/policies", "Escalation policies", func(s Sees) bool { return s.Policies }},
	}},
	{text: "Services", icon: "server", entries: []entry{
		{Services, "/services", "Catalog", func(s Sees) bool { return s.Catalog }},
	}},
	{text: "Settings", icon: "users", inMore: true, entries: []entry{
		{Teams, "/teams", "Teams", func(s Sees) bool { return s.Teams }},
		{People, "/people", "People", func(s Sees) bool { return s.People }},
		{Integrations, "/integrations", "Integrations", func(s Sees) bool { return s.Integrations }},
		{Channels, "/settings/channels", "Channels", func(s Sees) bool { return s.Channels }},
	}},
}

// visible are the entries of a group that the reader sees.
func (g group) visible(s Sees) []entry {
	var all []entry
	for _, e := range g.entries {
		if e.sees(s) {
			all = append(all, e)
		}
	}
	return all
}

// has reports whether a section is of the group.
func (g group) has(s Section) bool {
	for _, e := range g.entries {
		if e.id == s {
			return true
		}
	}
	return false
}

// navigation are the groups of which the reader sees something, with only that.
func (f Frame) navigation() []group {
	var all []group
	for _, g := range groups {
		if g.entries = g.visible(f.User.Sees); len(g.entries) > 0 {
			all = append(all, g)
		}
	}
	return all
}

// siblings are the entries beside the current section, and their group's name;
// none where it stands alone.
func (f Frame) siblings() (name string, all []entry) {
	for _, g := range f.navigation() {
		if g.has(f.Section) && len(g.entries) > 1 {
			return g.text, g.entries
		}
	}
	return "", nil
}

// behindMore reports whether a phone shows the current section behind More.
func (f Frame) behindMore() bool {
	for _, g := range groups {
		if g.inMore && g.has(f.Section) {
			return true
		}
	}
	return f.Section == Account
}

// Place is a section as the search offers it.
type Place struct{ Href, Text, Icon string }

// Places are the sections that a person may see.
func Places(s Sees) []Place {
	all := []Place{}
	for _, g := range groups {
		for _, e := range g.visible(s) {
			all = append(all, Place{Href: e.href, Text: e.title(g), Icon: g.icon})
		}
	}
	return append(all, Place{Href: "/me", Text: "Your account", Icon: "bell"})
}

// title names an entry without its group beside it.
func (e entry) title(g group) string {
	switch e.id {
	case OnCall:
		return "Who is on call"
	case Services:
		return g.text
	}
	return e.text
}
