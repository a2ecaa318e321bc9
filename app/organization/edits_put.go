package organization

import (
	"slices"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// The Put edits create a thing, or change what is given of one that exists. A
// list that is given replaces the list. Names, time zones and kinds that are left
// empty get a default.

// SetOrganization changes what holds for the whole organisation.
type SetOrganization struct {
	Organization Organization
	Input        Input
}

// PutPriority creates or changes a priority; Level is its key.
type PutPriority struct {
	Priority Priority
	Input    Input
}

// PutUser creates or changes a person. Contacts and rules are the person's own:
// the edit adds those that are missing, and corrects a contact that is still as a
// file made it.
type PutUser struct {
	User  User
	Input Input
}

// PutTeam creates or changes a team.
type PutTeam struct {
	Team  Team
	Input Input
}

// PutDeployment creates or changes a deployment.
type PutDeployment struct {
	Deployment Deployment
	Input      Input
}

// PutSchedule creates or changes a schedule; a definition that differs is in
// force from now on. Overrides that are given replace those of files, and none of
// those that were made in the app.
type PutSchedule struct {
	Schedule Schedule
	Input    Input
}

// PutPolicy creates or changes an escalation policy.
type PutPolicy struct {
	Policy Policy
	Input  Input
}

// PutService creates or changes a service.
type PutService struct {
	Service Service
	Input   Input
}

// PutIntegration creates or changes an integration. Without a key, one that
// exists keeps its own and a new one gets one.
type PutIntegration struct {
	Integration Integration
	Input       Input
}

func (e *SetOrganization) subject() (Kind, string) { return KindOrganization, "" }
func (e *PutPriority) subject() (Kind, string)     { return KindPriority, e.Priority.key() }
func (e *PutUser) subject() (Kind, string)         { return KindUser, e.User.key() }
func (e *PutTeam) subject() (Kind, string)         { return KindTeam, e.Team.key() }
func (e *PutDeployment) subject() (Kind, string)   { return KindDeployment, e.Deployment.key() }
func (e *PutSchedule) subject() (Kind, string)     { return KindSchedule, e.Schedule.key() }
func (e *PutPolicy) subject() (Kind, string)       { return KindPolicy, e.Policy.key() }
func (e *PutService) subject() (Kind, string)      { return KindService, e.Service.key() }
func (e *PutIntegration) subject() (Kind, string)  { return KindIntegration, e.Integration.key() }

func (e *SetOrganization) check(c *checker) {
	c.source = e.Input.source()
	c.organization(&e.Organization, e.Input.path(KindOrganization, ""))
}

func (e *PutPriority) check(c *checker) {
	put(c, KindPriority, e.Input, &e.Priority, c.priority, Priority.key)
}

func (e *PutUser) check(c *checker) { put(c, KindUser, e.Input, &e.User, c.user, User.key) }

func (e *PutTeam) check(c *checker) { put(c, KindTeam, e.Input, &e.Team, c.team, Team.key) }

func (e *PutDeployment) check(c *checker) {
	put(c, KindDeployment, e.Input, &e.Deployment, c.deployment, Deployment.key)
}

func (e *PutSchedule) check(c *checker) {
	put(c, KindSchedule, e.Input, &e.Schedule, c.schedule, Schedule.key)
}

func (e *PutPolicy) check(c *checker) { put(c, KindPolicy, e.Input, &e.Policy, c.policy, Policy.key) }

func (e *PutService) check(c *checker) {
	put(c, KindService, e.Input, &e.Service, c.service, Service.key)
}

func (e *PutIntegration) check(c *checker) {
	path := e.Input.path(KindIntegration, e.Integration.Slug)
	put(c, KindIntegration, e.Input, &e.Integration, c.integration, Integration.key)
	key := e.Integration.Key
	if key == "" {
		return
	}
	if other, taken := c.keys[key]; taken {
		c.wrong(path+".key", "%s has the same key.", other)
	}
	c.keys[key] = e.Integration.Slug
}

func (e *SetOrganization) apply(d *draft) {
	t := d.touch(KindOrganization, "", e.Input)
	d.overlay(d.desired.Organization, &e.Organization, t)
}

func (e *PutPriority) apply(d *draft) {
	merge(d, KindPriority, &d.desired.Priorities, e.Priority, e.Input, Priority.key, func(v *Priority, _ thing, _ bool) {
		orDefault(&v.Name, "P"+v.key())
	})
	d.renamePriorities()
}

func (e *PutUser) apply(d *draft) {
	merge(d, KindUser, &d.desired.Users, e.User, e.Input, User.key, d.user)
}

func (e *PutTeam) apply(d *draft) {
	merge(d, KindTeam, &d.desired.Teams, e.Team, e.Input, Team.key, func(v *Team, _ thing, _ bool) {
		orDefault(&v.Name, v.Slug)
	})
}

func (e *PutDeployment) apply(d *draft) {
	merge(d, KindDeployment, &d.desired.Deployments, e.Deployment, e.Input, Deployment.key, func(v *Deployment, _ thing, _ bool) {
		orDefault(&v.Name, v.Slug)
		orDefault(&v.Kind, catalog.Production)
	})
}

func (e *PutSchedule) apply(d *draft) {
	merge(d, KindSchedule, &d.desired.Schedules, e.Schedule, e.Input, Schedule.key, func(v *Schedule, _ thing, _ bool) {
		orDefault(&v.Name, v.Slug)
		orDefault(&v.Timezone, d.desired.Organization.Timezone)
	})
}

func (e *PutPolicy) apply(d *draft) {
	merge(d, KindPolicy, &d.desired.EscalationPolicies, e.Policy, e.Input, Policy.key, func(v *Policy, _ thing, _ bool) {
		orDefault(&v.Name, v.Slug)
	})
}

func (e *PutService) apply(d *draft) {
	merge(d, KindService, &d.desired.Services, e.Service, e.Input, Service.key, func(v *Service, t thing, isNew bool) {
		orDefault(&v.Name, v.Slug)
		if isNew && !t.given("reopen_window") {
			v.ReopenWindow = Duration(catalog.DefaultReopenWindow)
		}
	})
}

func (e *PutIntegration) apply(d *draft) {
	was := find(d.desired.Integrations, e.Integration.Slug, Integration.key)
	merge(d, KindIntegration, &d.desired.Integrations, e.Integration, e.Input, Integration.key, func(v *Integration, _ thing, _ bool) {
		orDefault(&v.Name, v.Slug)
		orDefault(&v.Kind, catalog.KindSLO)
		if was != nil {
			orDefault(&v.Key, was.Key)
		}
	})
}

// merge puts a value into a section of the draft: over the one that has the key,
// field by field as given, or behind the others. complete gives the result what
// was left open.
func merge[T any](d *draft, kind Kind, list *[]T, given T, in Input, key func(T) string, complete func(v *T, t thing, isNew bool)) {
	k := key(given)
	t := d.touch(kind, k, in)
	at := slices.IndexFunc(*list, func(v T) bool { return key(v) == k })
	if at < 0 {
		v := given
		complete(&v, t, true)
		*list = append(*list, v)
		return
	}
	if in.New {
		d.wrong(t, "", "There is a %s %s already.", kind, k)
	}
	d.overlay(&(*list)[at], &given, t)
	complete(&(*list)[at], t, false)
}

// find is nil where nothing in the list has the key.
func find[T any](list []T, k string, key func(T) string) *T {
	if i := slices.IndexFunc(list, func(v T) bool { return key(v) == k }); i >= 0 {
		found := list[i]
		return &found
	}
	return nil
}

func orDefault(value *string, otherwise string) {
	if *value == "" {
		*value = otherwise
	}
}
