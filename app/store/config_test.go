package store

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/organization/organizationtest"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// blueprints applies files to one database, on which the time stands still.
type blueprints struct {
	t    *testing.T
	db   *Store
	keys *auth.Keyring
	now  time.Time
}

func openBlueprints(t *testing.T, st *Store) *blueprints {
	t.Helper()
	keys, err := auth.NewKeyring(bytes.Repeat([]byte{7}, auth.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	b := &blueprints{t: t, db: st, keys: keys, now: time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)}
	st.Clock.Fixed = func() time.Time { return b.now }
	return b
}

func (b *blueprints) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *blueprints) state() *organization.State {
	b.t.Helper()
	s, err := b.db.Organization.Editor(b.keys).State(b.t.Context())
	b.must(err)
	return s
}

func (b *blueprints) plan(text string, o blueprint.Options) *organization.Plan {
	b.t.Helper()
	f, err := blueprint.Parse("acme.yaml", []byte(text), func(string) (string, bool) { return "", false })
	b.must(err)
	p, err := f.Plan(b.state(), o)
	b.must(err)
	return p
}

// apply returns the plan that it carried out, in words.
func (b *blueprints) apply(text string, o blueprint.Options) string {
	b.t.Helper()
	p := b.plan(text, o)
	_, err := b.db.Organization.Editor(b.keys).Store.Apply(b.t.Context(), auth.Tocsin, p)
	b.must(err)
	return p.String()
}

func (b *blueprints) export() string {
	b.t.Helper()
	return string(blueprint.Export(b.state()))
}

func (b *blueprints) example() string {
	b.t.Helper()
	text, err := os.ReadFile("../../docs/examples/acme.yaml")
	b.must(err)
	return string(text)
}

// onCall names whoever is on call in a position, by address.
func (b *blueprints) onCall(schedule string, at time.Time, position oncall.Position) []string {
	b.t.Helper()
	s, err := viewOf(b.t, b.db).ScheduleBySlug(schedule)
	b.must(err)
	var emails []string
	for _, shift := range s.Schedule.OnCall(at, position) {
		u, err := b.db.Access.User(b.t.Context(), int64(shift.Person))
		b.must(err)
		emails = append(emails, u.Email)
	}
	return emails
}

func (b *blueprints) same(what string, want, got any) {
	b.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var trusted = blueprint.Options{TrustVerified: true}

const nothing = "Nothing to change.\n"

func TestApplyAndExportRoundTrip(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		b.same("a second apply", nothing, b.apply(b.example(), trusted))

		exported := b.export()
		b.same("applying the export", nothing, b.apply(exported, trusted))
		b.same("a second export", exported, b.export())

		rule := "version: 1\nintegrations: [{slug: sre, dedup: 'event.sli + \"/\" + event.slo.name'}]\n"
		b.same("a rule", "~ integration sre: dedup event.sli + \"/\" + event.slo.name (was none)\n"+
			"! integration sre: incidents that are open keep their dedup keys. Resolve by hand those that no recovery ends.\n", b.apply(rule, trusted))
		exported = b.export()
		b.same("what does not mention the rule", nothing, strings.Replace(b.apply("version: 1\nintegrations: [{slug: sre}]\n", trusted), "= 1 unchanged\n", nothing, 1))

		fresh := openBlueprints(t, anotherSQLite(t))
		fresh.apply(exported, trusted)
		b.same("the export of what an export made", exported, fresh.export())
		if !strings.Contains(exported, "slo0000000000000000000000000key1") {
			t.Error("the key of the integration is not in the export")
		}
		if !strings.Contains(exported, `2026-12-24T09:00:00+01:00`) {
			t.Errorf("the override is not written with its offset from UTC:\n%s", exported)
		}
	})
}

// Whatever configuration follows whatever other, its export is applied whole:
// applied again it changes nothing, and a new installation made of it exports
// the same.
func TestRandomConfigurationRoundTrips(t *testing.T) {
	t.Parallel()
	b := openBlueprints(t, anotherSQLite(t))
	rapid.Check(t, func(rt *rapid.T) {
		text := string(blueprint.Export(organizationtest.State().Draw(rt, "state")))
		b.apply(text, trusted)
		b.same("a second apply of\n"+text, nothing, withoutNotes(b.apply(text, trusted)))
		exported := b.export()
		b.same("applying the export\n"+exported, nothing, withoutNotes(b.apply(exported, trusted)))
		if t.Failed() {
			rt.FailNow()
		}
	})
	fresh := openBlueprints(t, anotherSQLite(t))
	exported := b.export()
	fresh.apply(exported, trusted)
	b.same("the export of what an export made", exported, fresh.export())
}

func withoutNotes(plan string) string {
	var lines []string
	for line := range strings.Lines(plan) {
		if !strings.HasPrefix(line, "! ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func anotherSQLite(t *testing.T) *Store {
	t.Helper()
	st, err := Open(t.Context(), newSQLite(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestApplyPutsPeopleOnCall(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		// Period 46 since 5 January began on 23 November 2026 at 09:00 in Madrid: 46 mod 3 is 1.
		b.same("main", []string{"ben@acme.example"}, b.onCall("payments", b.now, "main"))
		b.same("backup", []string{"chiara@acme.example"}, b.onCall("payments", b.now, "backup"))
		b.same("in the past", []string{"ana@acme.example"}, b.onCall("payments", time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC), "main"))

		view, err := st.Organization.View(t.Context(), func(m notify.Medium) bool { return m == notify.SMS })
		b.must(err)
		roster := view.Roster()
		reachable := map[string]bool{}
		for _, p := range roster.People {
			reachable[p.Email] = p.Reachable
		}
		b.same("who has a verified number", map[string]bool{"ana@acme.example": true, "ben@acme.example": true,
			"chiara@acme.example": false, "dev.manager@acme.example": false}, reachable)
		versions, err := st.Organization.Versions(t.Context())
		b.must(err)
		version := versions.Revision()
		if roster.Version != version {
			t.Errorf("the roster is of version %d, the configuration of %d", roster.Version, version)
		}
	})
}

func TestApplyKeepsCurrentOnCallPeriod(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		before := b.now
		b.now = b.now.Add(24 * time.Hour)
		words := b.apply(`
version: 1
schedules:
  - slug: payments
    layers:
      - {name: weekly, start: "2026-01-05 09:00", rotate: {every: 1, unit: week}, positions: [main, backup],
         members: [ana@acme.example, dev.manager@acme.example, chiara@acme.example]}
`, trusted)
		if !strings.Contains(words, "~ schedule payments: layer weekly: members ") {
			t.Errorf("the plan says %q", words)
		}
		b.same("the past", []string{"ben@acme.example"}, b.onCall("payments", before, "main"))
		b.same("the rest of the period", []string{"ben@acme.example"}, b.onCall("payments", b.now.Add(time.Hour), "main"))
		b.same("the next", []string{"chiara@acme.example"}, b.onCall("payments", b.now.Add(7*24*time.Hour), "main"))
		b.same("the one after", []string{"ana@acme.example"}, b.onCall("payments", b.now.Add(14*24*time.Hour), "main"))
		b.same("the export", nothing, b.apply(b.export(), trusted))
	})
}

func TestApplyIsAllOrNothing(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		before := b.export()
		plan := b.plan(b.example(), trusted)
		// What no file can say: the last change refers to nothing the store knows.
		plan.Changes = append(plan.Changes, organization.Change{Op: organization.Create, Kind: organization.KindTeam, Value: 7})
		if _, err := st.Organization.Editor(b.keys).Store.Apply(t.Context(), auth.Tocsin, plan); err == nil {
			t.Fatal("it was applied")
		}
		b.same("the configuration", before, b.export())
	})
}

func TestApplyRefusesStalePlan(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		plan := b.plan(b.example(), trusted)
		b.apply("version: 1\norganization: {name: Somebody else}\n", trusted)
		if _, err := st.Organization.Editor(b.keys).Store.Apply(t.Context(), auth.Tocsin, plan); !fault.Is(err, fault.KindConflict) {
			t.Errorf("the answer is %v", err)
		}
	})
}

func TestApplyKeepsPersonalSettings(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		ana, err := st.Access.UserByEmail(t.Context(), "ana@acme.example")
		b.must(err)
		methods, err := st.Access.ContactMethods(t.Context(), ana.ID)
		b.must(err)
		b.must(st.Access.SetRules(t.Context(), ana.Email, ana.ID, []notify.Rule{{Urgency: "high", ContactMethodID: methods[2].ID}}))
		b.must(st.Access.ChangeContacts(t.Context(), func(tx *db.Tx) error { return access.Verified(t.Context(), tx, ana.Email, methods[0]) })) // as by a code
		swap := organization.Override{From: organization.MomentIn(b.now.Add(time.Hour), "UTC"), To: organization.MomentIn(b.now.Add(2*time.Hour), "UTC"), Add: ana.Email}
		_, err = st.Organization.Editor(b.keys).Edit(t.Context(), ana.Actor(), &organization.AddOverride{Schedule: "payments", Override: swap})
		b.must(err)

		file := strings.Replace(b.example(), `value: "+34600000001", verified: true},`, `value: "+34600000009", verified: true},`, 1)
		file = strings.Replace(file, `overrides:                           #`, "overrides: []\n    #", 1)
		file = strings.Replace(file, `      - {from: "2026-12-24 09:00"`, `    # - {from:`, 1)
		words := b.apply(file, trusted)
		if !strings.Contains(words, "user ana@acme.example: the contact sms stays") {
			t.Errorf("the plan says nothing of the contact:\n%s", words)
		}
		if !strings.Contains(words, "-override of main from 2026-12-24T09:00:00+01:00") {
			t.Errorf("the plan does not take back the file's own override:\n%s", words)
		}
		b.same("the swap", []string{"ben@acme.example", "ana@acme.example"}, b.onCall("payments", b.now.Add(90*time.Minute), "main"))
		people := viewOf(t, st).Recipients()
		b.same("Ana's first number", "+34600000001", people[ana.ID].Methods[0].Address)
	})
}

// anaAt is the example with another number for Ana's SMS.
func (b *blueprints) anaAt(number string) string {
	return strings.Replace(b.example(), `value: "+34600000001", verified: true},`, `value: "`+number+`", verified: true},`, 1)
}

func (b *blueprints) methods(userID int64) []notify.ContactMethod {
	b.t.Helper()
	methods, err := b.db.Access.ContactMethods(b.t.Context(), userID)
	b.must(err)
	return methods
}

// notices are where a person was told something, by medium.
func (b *blueprints) notices(userID int64) (media []string) {
	b.t.Helper()
	rows, err := b.db.Read.QueryContext(b.t.Context(), b.db.Rebind("SELECT medium FROM messages WHERE user_id = $1 AND kind = 'notice' ORDER BY medium"), userID)
	b.must(err)
	defer rows.Close()
	for rows.Next() {
		var medium string
		b.must(rows.Scan(&medium))
		media = append(media, medium)
	}
	b.must(rows.Err())
	return media
}

func TestApplyCorrectsItsContact(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		ana, err := st.Access.UserByEmail(t.Context(), "ana@acme.example")
		b.must(err)
		before := b.methods(ana.ID)
		b.apply(b.anaAt("+34600000009"), trusted)
		after := b.methods(ana.ID)
		if m := after[0]; m.ID != before[0].ID || m.Address != "+34600000009" || !m.Usable() || !m.FromFile || len(after) != len(before) {
			t.Errorf("the contact is %+v", m)
		}
		b.same("who was told", []string{"email", "voice"}, b.notices(ana.ID))
		rules, err := st.Access.Rules(t.Context(), ana.ID)
		if b.must(err); rules[0].ContactMethodID != before[0].ID {
			t.Errorf("the rules lost their contact: %+v", rules)
		}
		b.same("again", nothing, b.plan(b.export(), trusted).String())
	})
}

// Whoever a file corrects from elsewhere is paged where they were until they have
// verified the correction.
func TestRemoteCorrectionWaitsForVerification(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		ana, err := st.Access.UserByEmail(t.Context(), "ana@acme.example")
		b.must(err)
		before := b.methods(ana.ID)
		waits := func(number string) notify.ContactMethod {
			t.Helper()
			after := b.methods(ana.ID)
			if len(after) != len(before)+1 {
				t.Fatalf("%s: the contacts are %+v", number, after)
			}
			b.same("those in use", before, after[:len(before)])
			m := after[len(before)]
			if m.Address != number || m.Usable() || !m.FromFile || m.ReplacesID == nil || *m.ReplacesID != before[0].ID {
				t.Errorf("%s: the correction is %+v", number, m)
			}
			return m
		}
		for _, number := range []string{"+34600000009", "+34600000008"} {
			b.apply(b.anaAt(number), blueprint.Options{})
			first := waits(number)
			if words := b.apply(b.anaAt(number), blueprint.Options{}); strings.Contains(words, "~") || !strings.Contains(words, "once its owner has verified") {
				t.Errorf("a second apply says\n%s", words)
			}
			b.same("the export, applied", false, strings.Contains(b.apply(b.export(), blueprint.Options{}), "~"))
			b.same("the correction after that", first, waits(number))
		}
		b.apply(b.example(), blueprint.Options{})
		b.same("after the file took it back", before, b.methods(ana.ID))

		b.apply(b.anaAt("+34600000007"), blueprint.Options{})
		m := waits("+34600000007")
		b.must(st.Access.ChangeContacts(t.Context(), func(tx *db.Tx) error { return access.Verified(t.Context(), tx, ana.Email, m) })) // as by a code
		after := b.methods(ana.ID)
		if m := after[len(after)-1]; len(after) != len(before) || m.Slug != "sms" || m.Address != "+34600000007" || !m.Usable() {
			t.Errorf("after it was verified: %+v", after)
		}
		b.same("the same file then", false, strings.Contains(b.apply(b.anaAt("+34600000007"), blueprint.Options{}), "~"))
	})
}

func TestLocalCorrectionReplacesPendingOne(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		ana, err := st.Access.UserByEmail(t.Context(), "ana@acme.example")
		b.must(err)
		before := b.methods(ana.ID)
		b.apply(b.anaAt("+34600000009"), blueprint.Options{})
		b.apply(b.anaAt("+34600000009"), trusted)
		after := b.methods(ana.ID)
		if m := after[0]; len(after) != len(before) || m.Address != "+34600000009" || !m.Usable() {
			t.Errorf("the contacts are %+v", after)
		}
	})
}

func TestStoppedNumberStaysDisabled(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		for number, options := range map[string]blueprint.Options{"+34600000009": trusted, "+34600000008": {}} {
			b.apply(b.example(), trusted)
			ana, err := st.Access.UserByEmail(t.Context(), "ana@acme.example")
			b.must(err)
			before := b.methods(ana.ID)
			_, err = st.Access.SwitchContact(t.Context(), ana.Actor(), before[0], false) // whoever has the wrong number
			b.must(err)
			b.apply(b.anaAt(number), options)
			if m := b.methods(ana.ID)[0]; m.ID != before[0].ID || m.Address != number || m.Usable() != options.TrustVerified || m.DisabledAt != nil {
				t.Errorf("%s: the contact is %+v", number, m)
			}
			b.apply(b.example(), trusted)
			if m := b.methods(ana.ID)[0]; m.Address != "+34600000001" || m.DisabledAt == nil {
				t.Errorf("%s: the number that said STOP is %+v", number, m)
			}
		}
	})
}

func TestApplyPrunesUnusedRows(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		prune := blueprint.Options{Prune: true}
		words := b.apply(`
version: 1
users: [{email: dev.manager@acme.example}]
teams: []
escalation_policies: [{slug: payments}]
schedules: []
deployments: [{slug: prod-eu}]
services: [{slug: checkout-api, deployments: [prod-eu]}]
`, prune)
		want := strings.TrimLeft(`
~ service checkout-api: deployments -prod-us
- escalation policy coordinators
- schedule coordinators
- deployment prod-us
= 3 unchanged
! schedule payments stays: it is in use by escalation policy payments.
! service online-shop stays: it is in use by service checkout-api.
! team payments stays: it is in use by schedule payments.
! user ana@acme.example stays: it is in use by team payments.
! user ben@acme.example stays: it is in use by team payments.
! user chiara@acme.example stays: it is in use by team payments.
`, "\n")
		b.same("the plan", want, words)
		b.same("what is left", nothing, b.apply(b.export(), blueprint.Options{Prune: true}))
	})
}

func TestApplyIsAudited(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		b.apply("version: 1\nintegrations: [{slug: sre, key: slo0000000000000000000000000key2}]\n", trusted)
		log, err := st.Access.AuditLog(t.Context(), auth.AuditQuery{Subject: "integration:sre", Limit: 10})
		b.must(err)
		var actions []string
		for _, e := range log {
			actions = append(actions, e.Actor+" "+e.Action)
			if strings.Contains(db.AsJSON(e.Detail), "key2") {
				t.Errorf("the key is in the audit log: %v", e.Detail)
			}
		}
		b.same("the log, newest first", []string{"tocsin integration.update", "tocsin integration.create"}, actions)
		key, err := st.Organization.IntegrationKey(t.Context(), b.keys, "sre")
		b.must(err)
		b.same("the key", "slo0000000000000000000000000key2", key)
	})
}

func TestChangeWakesWaitingSteps(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		later := b.now.Add(time.Hour)
		insert := func(ctx context.Context, phase string, fired, next *time.Time) {
			_, err := st.Write.ExecContext(ctx, st.Rebind(`INSERT INTO escalations (incident_number, purpose, subject, state, phase, step, run,
				reached, fired_at, next_action_at, started_at) VALUES (1, 'primary', '', 'active', $1, 0, 0, true, $2, $3, $4)`),
				phase, fired, next, b.now)
			b.must(err)
		}
		insert(t.Context(), "steps", &b.now, &later)
		insert(t.Context(), "waiting", nil, &later)
		insert(t.Context(), "steps", &b.now, nil)
		b.apply(b.example(), trusted)
		var due []bool
		rows, err := st.Read.QueryContext(t.Context(), st.Rebind("SELECT coalesce(next_action_at <= $1, false) FROM escalations ORDER BY id"), b.now)
		b.must(err)
		defer rows.Close()
		for rows.Next() {
			var d bool
			b.must(rows.Scan(&d))
			due = append(due, d)
		}
		b.must(rows.Err())
		b.same("which are due", []bool{true, false, false}, due)
	})
}
