package simulate_test

import (
	"context"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

// The people of Acme, the example organisation.
const (
	ana int64 = iota + 1
	ben
	chiara
	dana
	admin
)

// breach is that of the product's description.
const breach = `{
  "status": "breached", "service": "checkout-api", "deployment": "prod-eu", "endpoint": "GET /api/data/{tenant}",
  "sli": "availability", "slo": {"name": "Availability of get data API", "objective": 99.7, "window": "28d"},
  "incident_priority": 2, "observed": 98.9, "started_at": "2026-03-01T18:04:05Z", "dedup_key": "get-data"
}`

var evening = time.Date(2026, 11, 23, 18, 4, 5, 0, time.UTC)

// acme is the example organisation with a breach at a moment, free to be changed
// before it is simulated.
type acme struct {
	simulate.Input
	contents catalog.Contents
	schedule oncall.Schedule
	policy   escalation.Policy
	// supportHours are those of the team, in Madrid.
	supportHours []oncall.Window
}

func newAcme() *acme {
	team, policy, service := int64(1), int64(1), int64(1)
	two := 2
	return &acme{
		Input: simulate.Input{
			Format: &slo.Format, Payload: []byte(breach), At: evening,
			Integration: catalog.Integration{ID: 1, Slug: "sre", Name: "SRE infrastructure", Kind: catalog.KindSLO, ServiceID: &service},
			Recipients:  recipients(),
			Works:       func(m notify.Medium) bool { return m == notify.SMS || m == notify.Email },
		},
		contents: catalog.Contents{
			Organization: catalog.Organization{Name: "Acme", Timezone: "Europe/Berlin"},
			Teams:        []catalog.Team{{ID: team, Slug: "payments", Name: "Payments"}},
			Deployments:  []catalog.Deployment{{ID: 1, Slug: "prod-eu", Name: "Production Europe", Kind: catalog.Production}},
			Services:     []catalog.Service{{ID: service, Slug: "checkout-api", Name: "Checkout API", TeamID: &team, PolicyID: &policy}},
			SLOs: []catalog.SLO{{ID: 1, ServiceID: service, Slug: "get-data-availability", Name: "Availability of get data API",
				Endpoint: "GET /api/data/{tenant}", SLI: "availability", Objective: 99.7, Window: "28d", Priority: &two}},
			Priorities:     []catalog.Priority{{Level: 1, Name: "P1"}, {Level: 2, Name: "P2"}, {Level: 3, Name: "P3"}},
			PolicyVersions: []catalog.PolicyVersionRef{{PolicyID: policy, ID: 11, Effective: evening.AddDate(0, -1, 0)}},
		},
		schedule: oncall.Schedule{Slug: "payments", Versions: []oncall.Version{{
			Zone: "Europe/Madrid", Positions: []oncall.Position{"main", "backup"},
			Layers: []oncall.Layer{{
				Name: "weekly", Start: oncall.WallTime{Year: 2026, Month: 1, Day: 5, Clock: 9 * 60},
				Rotate: &oncall.Rotate{Every: 1, Unit: oncall.Week}, Members: []oncall.Person{1, 2, 3},
			}},
		}}},
		policy: escalation.Policy{Repeat: 3, Fallback: []escalation.Target{{User: dana}}, Steps: []escalation.Step{
			{Timeout: 3600, TimeoutFor: map[int]int64{1: 300}, Targets: []escalation.Target{{Schedule: 1, Position: "main"}}},
			{Timeout: 7200, Targets: []escalation.Target{{Schedule: 1, Position: "backup"}}},
			{Timeout: 14400, Targets: []escalation.Target{{Team: team}}},
			{Timeout: 3600, Targets: []escalation.Target{{User: dana}}},
		}},
	}
}

func recipients() map[int64]notify.Recipient {
	verified := evening.AddDate(-1, 0, 0)
	method := func(id, user int64, medium notify.Medium, address string) notify.ContactMethod {
		return notify.ContactMethod{ID: id, UserID: user, Medium: medium, Address: address, VerifiedAt: &verified}
	}
	return map[int64]notify.Recipient{
		ana: {UserID: ana, Name: "Ana Ortiz", Email: "ana@acme.example",
			Methods: []notify.ContactMethod{
				method(1, ana, notify.SMS, "+34600000001"), method(2, ana, notify.Voice, "+34600000001"), method(3, ana, notify.Email, "ana@acme.example"),
			},
			Rules: []notify.Rule{{Urgency: "high", ContactMethodID: 1}, {Urgency: "high", AfterSeconds: 300, ContactMethodID: 2}, {Urgency: "low", ContactMethodID: 3}}},
		ben: {UserID: ben, Name: "Ben Adeyemi", Email: "ben@acme.example",
			Methods: []notify.ContactMethod{method(4, ben, notify.SMS, "+447700900002")},
			Rules:   []notify.Rule{{Urgency: "high", ContactMethodID: 4}, {Urgency: "low", ContactMethodID: 4}}},
		chiara: {UserID: chiara, Name: "Chiara Conti", Email: "chiara@acme.example",
			Methods: []notify.ContactMethod{method(5, chiara, notify.Email, "chiara@acme.example")}},
		dana: {UserID: dana, Name: "Dana Levi", Email: "dev.manager@acme.example",
			Methods: []notify.ContactMethod{method(6, dana, notify.Email, "dev.manager@acme.example")}},
		admin: {UserID: admin, Name: "Ruth Root", Email: "root@acme.example",
			Methods: []notify.ContactMethod{method(7, admin, notify.Email, "root@acme.example")}},
	}
}

// run makes the picture of what there is, and simulates.
func (a *acme) run(t *testing.T) simulate.Timeline {
	t.Helper()
	timeline, err := a.try()
	if err != nil {
		t.Fatal(err)
	}
	return timeline
}

func (a *acme) try() (simulate.Timeline, error) {
	a.Snapshot = catalog.NewSnapshot(a.contents)
	a.Roster = &escalation.Roster{
		Schedules: map[int64]escalation.NamedSchedule{1: {Slug: "payments", Name: "Payments", Schedule: a.schedule}},
		Teams:     map[int64]escalation.Team{1: {Slug: "payments", Name: "Payments", Manager: dana, Members: []int64{ana, ben, chiara}}},
		People:    map[int64]escalation.Person{},
		Services:  map[int64]string{1: "Checkout API"},

		SupportHours: map[int64]oncall.Hours{1: {Zone: "Europe/Madrid", Windows: a.supportHours}},
	}
	roles := map[int64]string{dana: "manager", admin: "administrator"}
	for id := ana; id <= admin; id++ {
		r := a.Recipients[id]
		role := roles[id]
		if role == "" {
			role = "responder"
		}
		person := escalation.Person{Name: r.Name, Email: r.Email, Role: role, Reachable: len(r.Working(a.Works)) > 0}
		if !person.Reachable {
			person.Unreachable = "no verified contact method"
		}
		a.Roster.People[id] = person
	}
	if a.Policy == nil {
		a.Policy = func(versionID int64) (escalation.NamedPolicy, error) {
			if versionID != 11 {
				return escalation.NamedPolicy{}, fault.NotFound("There is no such version of an escalation policy.")
			}
			return escalation.NamedPolicy{Slug: "payments", Name: "Payments", Policy: a.policy}, nil
		}
	}
	return simulate.Run(context.Background(), a.Input)
}

func (a *acme) answers(answers ...simulate.Answer) { a.Answers = answers }

func nameOf(id int64) string { return recipients()[id].Name }
