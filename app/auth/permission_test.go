package auth

import (
	"slices"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// mayDo is the whole of who may do what, written a second time, by who they
// are: s, r, m, a are people of the four roles to whom the object does not
// belong; M is the manager of its team, S the stakeholder whose account it is, R a
// responder of its team. ts, tr, tm, ta and tread are tokens by scope.
var mayDo = map[Action]string{
	ViewOnCall:       "s r R m a M S ts tr tm ta tread",
	ViewIncidents:    "r R m a M tr tm ta tread",
	ViewCatalog:      "s r R m a M S ts tr tm ta tread",
	ViewIntegrations: "r R m a M tr tm ta tread",
	ViewSchedules:    "r R m a M tr tm ta tread",
	ViewPolicies:     "r R m a M tr tm ta tread",
	ViewPeople:       "r R m a M tr tm ta tread",
	ViewContacts:     "r R m a M tr tm ta",
	Simulate:         "r R m a M tr tm ta tread",
	ActOnIncident:    "r R m a M tr tm ta",
	Page:             "r R m a M tr tm ta",
	ManageAccount:    "a S ta",
	ManageTeam:       "a M tm ta",
	MakeOverride:     "R a M tm ta",
	RevealKey:        "a M tm ta",
	ReplaySignal:     "a M tm ta",
	ManagePeople:     "a ta",
	ManageTokens:     "a ta",
	ViewAudit:        "a ta",
	Configure:        "a ta",

	ManageProviders: "a ta",
	Invite:          "a M tm ta",
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	person := func(id int64, role Role) Actor { return Actor{Kind: Person, UserID: id, Role: role} }
	token := func(scope Role) Actor { return Actor{Kind: ByToken, Role: scope} }
	object := Object{ManagerID: 10, UserID: 20}
	actors := map[string]Actor{
		"s": person(1, Stakeholder), "r": person(2, Responder), "m": person(3, Manager), "a": person(4, Administrator),
		"M": person(10, Manager), "S": person(20, Stakeholder), "R": person(30, Responder),
		"ts": token(Stakeholder), "tr": token(Responder), "tm": token(Manager), "ta": token(Administrator), "tread": token(Read),
	}
	for action := Action(1); action < actionsEnd; action++ {
		row, ok := mayDo[action]
		if !ok || rules[action].words == "" {
			t.Errorf("action %d has no row in the table of the test, or no rule", action)
			continue
		}
		may := strings.Fields(row)
		for name, actor := range actors {
			object.Member = name == "R" || name == "S"
			err := Allow(actor, action, object)
			if allowed := err == nil; allowed != slices.Contains(may, name) {
				t.Errorf("%s may %s: %v, want %v", name, rules[action].words, allowed, !allowed)
			}
			if err != nil && !fault.Is(err, fault.KindForbidden) {
				t.Errorf("%s, to %s: %v, want it forbidden", name, rules[action].words, err)
			}
		}
		if err := Allow(Tocsin, action, Object{}); err != nil {
			t.Errorf("Tocsin itself, to %s: %v", rules[action].words, err)
		}
		if err := Allow(Actor{}, action, object); !fault.Is(err, fault.KindUnauthorized) {
			t.Errorf("nobody, to %s: %v, want unauthorized", rules[action].words, err)
		}
		if err := Allow(IntegrationActor("sre"), action, object); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("an integration, to %s: %v, want forbidden", rules[action].words, err)
		}
	}
}

func TestUndefinedActionIsRefused(t *testing.T) {
	t.Parallel()
	for _, action := range []Action{-1, 0, actionsEnd} {
		if err := Allow(Tocsin, action, Object{}); !fault.Is(err, fault.KindInternal) {
			t.Errorf("action %d: %v, want an internal fault", action, err)
		}
	}
}

// A thing without a team has manager 0, and so has an actor without a person.
func TestManagerWithoutTeam(t *testing.T) {
	t.Parallel()
	if err := Allow(Actor{Kind: Person, Role: Manager}, ManageTeam, Object{}); err == nil {
		t.Error("allowed")
	}
	if err := Allow(Actor{Kind: Person, Role: Stakeholder}, ManageAccount, Object{}); err == nil {
		t.Error("allowed an account of nobody")
	}
}

// Read is a scope; a person who somehow had it would still see nothing.
func TestNoRoleHasNoPermission(t *testing.T) {
	t.Parallel()
	for _, role := range []Role{"", Read, "root"} {
		if err := Allow(Actor{Kind: Person, UserID: 1, Role: role}, ViewOnCall, Object{}); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("role %q: %v, want forbidden", role, err)
		}
	}
}

func TestRefusalNamesRoles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		actor  Actor
		action Action
		want   string
	}{
		{Actor{Kind: Person, Role: Responder}, ManagePeople, "Only administrators may manage people; your role is responder."},
		{Actor{Kind: Person, Role: Stakeholder}, ActOnIncident, "Only responders, managers and administrators may act on incidents; your role is stakeholder."},
		{Actor{Kind: Person, Role: Manager}, RevealKey, "Only the team's manager and administrators may see this integration's key; your role is manager."},
		{Actor{Kind: ByToken, Role: Read}, Page, "Only responders, managers and administrators may page people; this token may only read."},
		{Actor{Kind: ByToken, Role: Responder}, Configure, "Only administrators may apply or export the configuration; this token's scope is responder."},
	} {
		if err := Allow(test.actor, test.action, Object{}); err == nil || err.Error() != test.want {
			t.Errorf("got %v\nwant %s", err, test.want)
		}
	}
}

func TestActorString(t *testing.T) {
	t.Parallel()
	for want, actor := range map[string]Actor{
		"ana@example.com": (&User{ID: 1, Email: "ana@example.com", Name: "Ana"}).Actor(),
		"token:deploy":    (&Token{Name: "deploy", Scope: Read}).Actor(),
		"integration:sre": IntegrationActor("sre"),
		"tocsin":          Tocsin,
		"":                {},
	} {
		if got := actor.String(); got != want {
			t.Errorf("%#v is %q, want %q", actor, got, want)
		}
	}
}
