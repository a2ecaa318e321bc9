package organization

import (
	"cmp"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Roster is who the targets of policies stand for. works tells which media have a
// channel that works; whoever has no verified contact method on one counts as
// nobody, and so does whoever is deactivated.
func (s *State) Roster(works func(notify.Medium) bool) *escalation.Roster {
	r := &escalation.Roster{
		Version:   s.Versions().Revision(),
		Schedules: make(map[int64]escalation.NamedSchedule, len(s.Schedules)),
		Teams:     make(map[int64]escalation.Team, len(s.Teams)),
		People:    make(map[int64]escalation.Person, len(s.Users)),
		Services:  make(map[int64]string, len(s.Services)),

		SupportHours: map[int64]oncall.Hours{},
	}
	for _, t := range s.Teams {
		r.Teams[t.ID] = escalation.Team{Slug: t.Slug, Name: t.Name, Manager: orZero(t.ManagerID)}
	}
	for _, m := range s.Members {
		if t, ok := r.Teams[m.TeamID]; ok {
			t.Members = append(t.Members, m.UserID)
			r.Teams[m.TeamID] = t
		}
	}
	hours := map[int64]oncall.Hours{} // by team, those without their own left out
	for _, t := range s.Teams {
		if t.SupportHours != nil {
			hours[t.ID] = s.supportHours(t.SupportHours)
		}
	}
	for _, v := range s.Services {
		r.Services[v.ID] = v.Name
		if own, ok := hours[orZero(v.TeamID)]; ok {
			r.SupportHours[v.ID] = own
		} else if s.Organization.SupportHours != nil {
			r.SupportHours[v.ID] = s.supportHours(s.Organization.SupportHours)
		}
	}
	for _, v := range s.Schedules {
		r.Schedules[v.ID] = escalation.NamedSchedule{Slug: v.Slug, Name: v.Name, Schedule: v.Schedule}
	}
	recipients := s.Recipients()
	for _, u := range s.Users {
		why := unreachable(u, recipients[u.ID], works)
		r.People[u.ID] = escalation.Person{Name: u.Name, Email: u.Email, Role: string(u.Role), Reachable: why == "", Unreachable: why}
	}
	return r
}

// unreachable says why pages cannot reach a person; empty where they can.
func unreachable(u auth.User, r notify.Recipient, works func(notify.Medium) bool) string {
	switch {
	case !u.Active:
		return "deactivated"
	case len(r.Working(works)) > 0:
		return ""
	case slices.ContainsFunc(r.Methods, notify.ContactMethod.Usable):
		return "no contact method on a channel that is set up"
	}
	return "no verified contact method"
}

// supportHours are hours in the terms of package oncall.
func (s *State) supportHours(h *catalog.Hours) oncall.Hours {
	hours := hoursOf(h)
	return oncall.Hours{
		Zone:    cmp.Or(hours.Timezone, s.Organization.Timezone),
		Windows: []oncall.Window{{Days: hours.Days, From: hours.From, To: hours.To}},
	}
}

// Recipients are people as pages see them, by id. Whoever is deactivated has no
// contact methods.
func (s *State) Recipients() map[int64]notify.Recipient {
	recipients := make(map[int64]notify.Recipient, len(s.Users))
	active := make(map[int64]bool, len(s.Users))
	for _, u := range s.Users {
		r := notify.Recipient{UserID: u.ID, Name: u.Name, Email: u.Email, Zone: u.Timezone}
		if r.Zone == "" {
			r.Zone = s.Organization.Timezone
		}
		recipients[u.ID], active[u.ID] = r, u.Active
	}
	for _, m := range s.Contacts {
		if active[m.UserID] {
			r := recipients[m.UserID]
			r.Methods = append(r.Methods, m)
			recipients[m.UserID] = r
		}
	}
	for _, rule := range s.Rules {
		if active[rule.UserID] {
			r := recipients[rule.UserID]
			r.Rules = append(r.Rules, rule)
			recipients[rule.UserID] = r
		}
	}
	return recipients
}

// orZero is 0 for nil.
func orZero(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}
