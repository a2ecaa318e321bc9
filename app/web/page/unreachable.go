package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// unreachableOnCall is somebody who is on call and cannot be paged.
type unreachableOnCall struct {
	user      int64
	schedules []string // names
}

// unreachableAt are those who are on call at an instant and cannot be paged, in the
// order of the schedules' names. Only schedules that name such a person are evaluated.
func (k *Config) unreachableAt(at time.Time) []unreachableOnCall {
	var all []unreachableOnCall
	for _, s := range k.withUnreachable {
		for _, u := range k.Roster.Unreached([]escalation.Target{{Schedule: s.ID}}, at) {
			i := slices.IndexFunc(all, func(o unreachableOnCall) bool { return o.user == u.Person })
			if i < 0 {
				i, all = len(all), append(all, unreachableOnCall{user: u.Person})
			}
			all[i].schedules = append(all[i].schedules, s.Name)
		}
	}
	return all
}

// withUnreachable are the schedules that name somebody who cannot be paged, by name.
func withUnreachable(schedules []organization.ScheduleRecord, roster *escalation.Roster) []organization.ScheduleRecord {
	var all []organization.ScheduleRecord
	for _, s := range schedules {
		for p := range peopleIn(s.Schedule) {
			if !roster.People[int64(p)].Reachable {
				all = append(all, s)
				break
			}
		}
	}
	slices.SortFunc(all, func(a, b organization.ScheduleRecord) int {
		return slices.Compare([]string{a.Name, a.Slug}, []string{b.Name, b.Slug})
	})
	return all
}

// maxAlarms bounds the banners about colleagues who cannot be paged.
const maxAlarms = 3

// alarms are banners about people who are on call now and cannot be paged: the reader,
// and for administrators and managers everybody.
func (p *Pages) alarms(req *Request) []layout.Banner {
	var own, others []layout.Banner
	everybody := req.User.Role == auth.Administrator || req.User.Role == auth.Manager
	for _, u := range req.Config.unreachableAt(req.Clock.Now) {
		schedules := element.And(u.schedules)
		switch {
		case u.user == req.User.ID:
			own = append(own, layout.Banner{Kind: layout.Failing, Text: "You are on call for " + schedules + " and cannot be paged.",
				Link: element.Link{Href: "/me#contacts", Text: p.ContactRemedy(req.Config.Recipients[u.user].Methods)}})
		case everybody:
			person := req.Config.Person(u.user)
			others = append(others, layout.Banner{Kind: layout.Failing, Text: person.Name + " is on call for " + schedules + " and cannot be paged.",
				Link: element.Link{Href: fmt.Sprintf("/people/%d", person.ID), Text: "Contact methods of " + person.First()}})
		}
	}
	if more := len(others) - maxAlarms; more > 0 {
		others = append(others[:maxAlarms], layout.Banner{Kind: layout.Failing, Text: element.Count(more, "more person") + " on call cannot be paged.",
			Link: element.Link{Href: "/oncall", Text: "Who is on call"}})
	}
	return append(own, others...)
}

// ContactRemedy is what a person does, who cannot be paged, to be paged.
func (p *Pages) ContactRemedy(methods []notify.ContactMethod) string {
	if slices.ContainsFunc(methods, func(m notify.ContactMethod) bool { return m.VerifiedAt == nil && p.Works(m.Medium) }) {
		return "Verify a contact method"
	}
	return "Add a contact method"
}

// unavailable is a banner about contact methods that no channel carries, of the reader or,
// for those who set up channels, of anybody; none where all are carried.
func (p *Pages) unavailable(req *Request) []layout.Banner {
	who, used, link := "You are not paged ", req.Config.ownMedia(req.User.ID), element.Link{Href: "/me", Text: "Contact methods"}
	sets := req.May(auth.ManageProviders)
	if sets {
		who, used, link = "Nobody is paged ", req.Config.usedMedia, element.Link{Href: channelsAddress, Text: "Set up"}
	}
	var phrases []string
	for _, medium := range notify.Media {
		if !p.Works(medium) && used[medium] {
			phrases = append(phrases, medium.Phrase())
		}
	}
	if phrases == nil {
		return nil
	}
	b := layout.Banner{Kind: layout.Warning, Text: who + strings.Join(phrases, " or ") + ": not set up.", Link: link}
	if uncarried := req.Config.uncarried(); sets && uncarried > 0 {
		has := "have"
		if uncarried == 1 {
			has = "has"
		}
		b.Text += " " + element.Count(uncarried, "person") + " " + has + " no other contact method."
		b.Link = element.Link{Href: "/people", Text: "People"}
	}
	return []layout.Banner{b}
}

// uncarried counts the people none of whose contact methods a channel carries.
func (k *Config) uncarried() int {
	n := 0
	for id, r := range k.Recipients {
		if k.Unreachable(id) && slices.ContainsFunc(r.Methods, notify.ContactMethod.Usable) {
			n++
		}
	}
	return n
}

// cannotBePaged reports whether a shift is of somebody on call whom no page can reach,
// for readers who may know it.
func (req *Request) cannotBePaged(s oncall.Shift) bool {
	return !s.Shadow && req.May(auth.ViewContacts) && req.Config.Unreachable(int64(s.Person))
}
