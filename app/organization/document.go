// Package organization is all that the organisation configures, as one State,
// and the one way to change it.
//
// Edits (RenameTeam, ChangeSchedule, PutPolicy and so on) say what somebody wants
// otherwise. MakePlan checks them against a State and says in words what would
// change; the store applies the Plan in one transaction, all of it or nothing. A
// form, the API, `tocsin apply` and an importer all go this way. What else reads
// the configuration (the roster, routes, recipients, the catalog of signals,
// pages) is derived from one State, which Current keeps.
//
// Three things are people's own, and edits from a file only ever add to them:
// contact methods (where the person has none of that id), personal rules (where
// the person has none of that urgency) and verifications.
package organization

// Document is a whole configuration in names: slugs, email addresses, wall
// clocks. The tags are the keys of the YAML format, and of the paths of what is
// wrong; the order of fields is that of an export.
type Document struct {
	Organization       *Organization `yaml:"organization,omitempty"`
	Priorities         []Priority    `yaml:"priorities,omitempty"`
	Users              []User        `yaml:"users,omitempty"`
	Teams              []Team        `yaml:"teams,omitempty"`
	Deployments        []Deployment  `yaml:"deployments,omitempty"`
	Schedules          []Schedule    `yaml:"schedules,omitempty"`
	EscalationPolicies []Policy      `yaml:"escalation_policies,omitempty"`
	Services           []Service     `yaml:"services,omitempty"`
	Integrations       []Integration `yaml:"integrations,omitempty"`
}

// Document is the state in names, in a fixed order, so that the same
// configuration is always the same document. Of a schedule it has the latest
// version, even if that is yet to begin.
func (s *State) Document() *Document {
	n, d := s.names(), &Document{}
	for _, section := range sections {
		section.describe(s, n, d)
	}
	return d
}

// Edits put all that a document has. Their paths are those of the document, such
// as "teams[0]".
func (d *Document) Edits(source Source) []Edit {
	var edits []Edit
	for _, s := range sections {
		edits = append(edits, s.edits(d, source)...)
	}
	return edits
}

// Keys are what the things of a kind are known by: slugs, addresses, levels; nil
// for the organisation.
func (d *Document) Keys(kind Kind) []string {
	if s := sectionOf(kind); s != nil {
		return s.keys(d)
	}
	return nil
}
