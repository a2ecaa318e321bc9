package auth

import (
	"fmt"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Action is something that needs a permission.
type Action int

// The actions. Each has its row in rules.
const (
	// ViewOnCall is seeing who is on call.
	ViewOnCall Action = iota + 1
	ViewIncidents
	// ViewCatalog is seeing teams, services, deployments, SLOs and priorities.
	ViewCatalog
	// ViewIntegrations is seeing integrations and what they sent, without their
	// keys.
	ViewIntegrations
	ViewSchedules
	ViewPolicies
	// ViewPeople is seeing who there is and in which teams.
	ViewPeople
	// ViewContacts is seeing the addresses by which people are reached: email, and
	// the telephone numbers that are not hidden.
	ViewContacts
	// Simulate is seeing who would be paged by a breach, which changes nothing.
	Simulate
	// ActOnIncident is to acknowledge, resolve, reopen, escalate, note and set
	// the priority, on any incident.
	ActOnIncident
	// Page is paging a person or a team by hand.
	Page
	// ManageAccount is changing a profile, contact methods, personal rules and
	// password: Object.UserID's.
	ManageAccount
	// ManageTeam is changing what belongs to a team.
	ManageTeam
	// MakeOverride is making an override in a schedule of a team.
	MakeOverride
	// RevealKey is seeing an integration's key.
	RevealKey
	// ReplaySignal is running a rejected signal again.
	ReplaySignal
	ManagePeople
	ManageTokens
	ViewAudit
	// Configure is applying and exporting the configuration.
	Configure
	// ManageProviders is setting up the providers that carry messages.
	ManageProviders
	// Invite is inviting people to a team, or without one to the organisation.
	Invite

	actionsEnd // stays last
)

// Read is the scope of a token that may read what a responder may, and change nothing.
// People cannot have it as a role.
const Read Role = "read"

// Object is the object of an action, as far as permissions depend on it.
type Object struct {
	// ManagerID is the manager of the team that the thing belongs to; 0 where
	// it belongs to no team, or the team has no manager.
	ManagerID int64
	// Member says that the actor is of that team.
	Member bool
	// UserID is whose account it is, for ManageAccount.
	UserID int64
}

// limit restricts a permission to some objects. Administrators have none.
type limit int

const (
	anything limit = iota
	// theirTeams is for the manager of the object's team. A token of scope
	// manager stands for no person and manages every team.
	theirTeams
	// ownTeams is for the team's members too. Their tokens stand for no person.
	ownTeams
	// theirOwn is for the person whose account it is.
	theirOwn
)

type rule struct {
	least Role
	limit limit
	// read lets tokens of scope Read do it.
	read bool
	// words complete "Only … may ".
	words string
}

// rules are all permissions.
var rules = [actionsEnd]rule{
	ViewOnCall:       {Stakeholder, anything, true, "see who is on call"},
	ViewIncidents:    {Responder, anything, true, "see incidents"},
	ViewCatalog:      {Stakeholder, anything, true, "see teams and services"},
	ViewIntegrations: {Responder, anything, true, "see integrations"},
	ViewSchedules:    {Responder, anything, true, "see schedules"},
	ViewPolicies:     {Responder, anything, true, "see escalation policies"},
	ViewPeople:       {Responder, anything, true, "see people"},
	ViewContacts:     {Responder, anything, false, "see contact details"},
	Simulate:         {Responder, anything, true, "simulate breaches"},
	ActOnIncident:    {Responder, anything, false, "act on incidents"},
	Page:             {Responder, anything, false, "page people"},
	ManageAccount:    {Stakeholder, theirOwn, false, "change this account"},
	ManageTeam:       {Manager, theirTeams, false, "change what belongs to this team"},
	MakeOverride:     {Responder, ownTeams, false, "make overrides in this schedule"},
	RevealKey:        {Manager, theirTeams, false, "see this integration's key"},
	ReplaySignal:     {Manager, theirTeams, false, "replay this integration's signals"},
	ManagePeople:     {Administrator, anything, false, "manage people"},
	ManageTokens:     {Administrator, anything, false, "manage API tokens"},
	ViewAudit:        {Administrator, anything, false, "see the audit log"},
	Configure:        {Administrator, anything, false, "apply or export the configuration"},

	ManageProviders: {Administrator, anything, false, "set up channels"},
	Invite:          {Manager, theirTeams, false, "invite people to this team"},
}

// Allow returns nil where the actor may do the action to the object; else a
// fault that says who may: unauthorized for nobody, forbidden for anybody else.
func Allow(actor Actor, action Action, object Object) error {
	if action <= 0 || action >= actionsEnd {
		return fault.Internal(fmt.Errorf("no permission is defined for action %d", action))
	}
	r := rules[action]
	switch actor.Kind {
	case Itself:
		return nil
	case Person, ByToken:
		if r.allows(actor, object) {
			return nil
		}
		return r.refuse(actor)
	case Integration:
		return fault.Forbidden("An integration's key may only send signals.")
	}
	return fault.Unauthorized("Sign in first.")
}

func (r rule) allows(actor Actor, object Object) bool {
	if actor.Role == Read {
		return actor.Kind == ByToken && r.read
	}
	if actor.Role == Administrator {
		return true
	}
	if !actor.Role.AtLeast(r.least) {
		return false
	}
	switch r.limit {
	case theirTeams:
		return actor.Kind == ByToken || is(actor, object.ManagerID)
	case ownTeams:
		return actor.Kind == ByToken && actor.Role.AtLeast(Manager) || is(actor, object.ManagerID) || actor.Kind == Person && object.Member
	case theirOwn:
		return is(actor, object.UserID)
	}
	return true
}

func is(actor Actor, userID int64) bool {
	return actor.Kind == Person && userID != 0 && actor.UserID == userID
}

func (r rule) refuse(actor Actor) error {
	if actor.Role == Read {
		return fault.Forbidden("Only %s may %s; this token may only read.", r.who(), r.words)
	}
	if actor.Kind == ByToken {
		return fault.Forbidden("Only %s may %s; this token's scope is %s.", r.who(), r.words, actor.Role)
	}
	return fault.Forbidden("Only %s may %s; your role is %s.", r.who(), r.words, actor.Role)
}

// who names everybody that the rule lets, in the plural.
func (r rule) who() string {
	switch r.limit {
	case theirTeams:
		return "the team's manager and administrators"
	case ownTeams:
		return "responders of the team, its manager and administrators"
	case theirOwn:
		return "its owner and administrators"
	}
	var names []string
	for _, role := range Roles {
		if role.AtLeast(r.least) {
			names = append(names, string(role)+"s")
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
