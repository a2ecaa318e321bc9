package organization

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// KindTeam is the kind of teams.
const KindTeam Kind = "team"

// Team owns schedules, policies and services.
type Team struct {
	Slug         string   `yaml:"slug"`
	Name         string   `yaml:"name,omitempty"`
	Manager      string   `yaml:"manager,omitempty"`
	Members      []string `yaml:"members"`
	Chat         Chat     `yaml:"chat,omitempty"`
	SupportHours *Hours   `yaml:"support_hours,omitempty"`
}

// Chat is where a team talks.
type Chat struct {
	Slack string `yaml:"slack,omitempty"`
}

func (t Team) key() string { return t.Slug }

// PutTeam creates or changes a team.
type PutTeam = Put[Team]

func teamSection() section {
	return &list[Team]{
		kind: KindTeam,
		name: "teams",
		in:   func(d *Document) *[]Team { return &d.Teams },
		key:  Team.key,
		describeAll: func(s *State, n names) []Team {
			return convert(s.Teams, func(t catalog.Team) Team { return n.team(s, t) })
		},
		names: func(s *State) named {
			return namesOf(s.Teams, func(t catalog.Team) (int64, string) { return t.ID, t.Slug })
		},
		check:      (*checker).team,
		complete:   func(_ *draft, v, _ *Team, _ thing) { orDefault(&v.Name, v.Slug) },
		references: Team.references,
		sort:       func(t *Team) { t.Members = sortedUnique(t.Members) },
	}
}

func (c *checker) team(t *Team, path string) {
	c.slug(path, &t.Slug, t.Name)
	c.nameOrDefault(path+".name", t.Name)
	normalizeAddress(&t.Manager)
	normalizeAddresses(t.Members)
	if channel := t.Chat.Slack; channel != "" && !slackChannel.MatchString(channel) {
		c.problem(path+".chat.slack", "Write a Slack channel such as \"#payments\", or its ID.")
	}
	c.hours(path+".support_hours", t.SupportHours)
}

// slackChannel is a channel's name or ID.
var slackChannel = regexp.MustCompile(`^(#[^\s#,A-Z]{1,80}|[CG][A-Z0-9]{6,20})$`)

func (n names) team(s *State, t catalog.Team) Team {
	team := Team{Slug: t.Slug, Name: t.Name, Manager: n.ref(KindUser, t.ManagerID), Members: []string{},
		Chat: Chat{Slack: t.SlackChannel}, SupportHours: hoursOf(t.SupportHours)}
	for _, m := range s.Members {
		if m.TeamID == t.ID {
			team.Members = append(team.Members, n.of(KindUser, m.UserID))
		}
	}
	slices.Sort(team.Members)
	return team
}

func (t Team) references(refer referFunc) {
	refer("manager", KindUser, t.Manager)
	for i, m := range t.Members {
		refer(fmt.Sprintf("members[%d]", i), KindUser, m)
	}
}

// RenameTeam gives a team another name; its slug stays.
type RenameTeam struct {
	Team string // slug
	Name string
	Path string // of problems, such as "name"; empty for "teams[payments].name"
}

func (e *RenameTeam) subject() (Kind, string) { return KindTeam, e.Team }

func (e *RenameTeam) path() string {
	if e.Path != "" {
		return e.Path
	}
	return pathOf(KindTeam, e.Team) + ".name"
}

func (e *RenameTeam) check(c *checker) {
	c.source = everything{}
	c.givenName(e.path(), e.Name)
}

func (e *RenameTeam) apply(d *draft) {
	if v := existing[Team](d, e.Team, e.path()); v != nil {
		v.Name = e.Name
	}
}
