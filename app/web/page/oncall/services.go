package oncall

import (
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/oncall"
)

// foundService is a service that matches a search, with whom its policy pages now.
type foundService struct {
	catalog.Service
	paged []organization.PagedTarget
}

// position is a position of a schedule, by the schedule's slug.
type position struct{ schedule, name string }

// servicesFound are the services that match a search, by name; none for an empty one.
func servicesFound(req *page.Request, query string) []foundService {
	if query == "" {
		return nil
	}
	var found []foundService
	byPolicy := map[int64][]organization.PagedTarget{}
	for _, ref := range req.Config.ServicesWhere(func(s catalog.Service) bool { return matchesAny(query, s.Name, s.Slug) }) {
		s, err := req.Config.ServiceBySlug(ref.Slug)
		if err != nil {
			continue
		}
		f := foundService{Service: s}
		if s.PolicyID != nil {
			paged, known := byPolicy[*s.PolicyID]
			if !known {
				paged = req.Config.PagedFor(s, req.Clock.Now)
				byPolicy[*s.PolicyID] = paged
			}
			f.paged = paged
		}
		found = append(found, f)
	}
	return found
}

// pagedPositions are the positions that the policies of services page.
func pagedPositions(req *page.Request, services []foundService) map[position]bool {
	paged := map[position]bool{}
	for _, s := range services {
		for _, t := range s.paged {
			if t.Schedule != 0 {
				paged[position{req.Config.Schedule(t.Schedule).Slug, t.Position}] = true
			}
		}
	}
	return paged
}

// pagedOtherwise are whom the policies of services page otherwise than by a schedule. A
// service whose policy does not is left out; one without a policy is not.
func pagedOtherwise(req *page.Request, services []foundService) []view.ServiceFound {
	var all []view.ServiceFound
	for _, s := range services {
		if len(all) == maxExplanations {
			break
		}
		f := view.ServiceFound{Service: element.Ref{Slug: s.Slug, Name: s.Name}, NoPolicy: s.PolicyID == nil}
		for _, t := range s.paged {
			if t.Schedule == 0 {
				f.Targets = append(f.Targets, targetNow(req, t))
			}
		}
		if f.NoPolicy || len(f.Targets) > 0 {
			all = append(all, f)
		}
	}
	return all
}

func targetNow(req *page.Request, t organization.PagedTarget) view.Target {
	target := view.Target{Words: req.Config.Roster.Describe([]escalation.Target{t.Target})[0], OnePerson: t.User != 0}
	for _, r := range t.People {
		target.People = append(target.People, view.Reached{Person: req.Config.Person(r.UserID), Contacts: req.Contacts(r.UserID)})
	}
	return target
}
