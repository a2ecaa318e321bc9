package store

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func anyMedium(notify.Medium) bool { return true }

func scheduleOf(t *testing.T, st *Store, slug string) organization.ScheduleRecord {
	t.Helper()
	record, err := viewOf(t, st).ScheduleBySlug(slug)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func viewOf(t *testing.T, st *Store) *organization.View {
	t.Helper()
	view, err := st.Organization.View(t.Context(), anyMedium)
	if err != nil {
		t.Fatal(err)
	}
	return view
}

func TestEditorAppliesEdits(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), blueprint.Options{})
		e := st.Organization.Editor(b.keys)
		from, to := b.now.Add(time.Hour), b.now.Add(2*time.Hour)
		applied, err := e.Edit(t.Context(), auth.Tocsin, &organization.RenameTeam{Team: "payments", Name: "Money"},
			&organization.AddOverride{Schedule: "payments", Override: organization.Override{Position: "main", Add: "ana@acme.example",
				From: organization.MomentIn(from, "UTC"), To: organization.MomentIn(to, "UTC")}})
		b.must(err)
		s, err := e.State(t.Context())
		b.must(err)
		if s.Teams[0].Name != "Money" || len(applied.Overrides) != 1 {
			t.Errorf("applied %+v, the teams are %+v", applied, s.Teams)
		}
		schedule := scheduleOf(t, st, "payments")
		if o := schedule.Schedule.Overrides[len(schedule.Schedule.Overrides)-1]; o.ID != applied.Overrides[0] || !o.From.Equal(from) || o.Kind != oncall.Add || !schedule.FromApp[o.ID] {
			t.Errorf("the override is %+v", o)
		}
		entries, err := st.Access.AuditLog(t.Context(), auth.AuditQuery{Limit: 3})
		b.must(err)
		var actions []string
		for _, entry := range entries {
			actions = append(actions, entry.Action+" "+entry.Subject)
			if entry.Detail["by"] != nil {
				t.Errorf("an edit in the app counts as a file's: %+v", entry)
			}
		}
		b.same("the audit log", []string{"schedule.update schedule:payments", "override.create schedule:payments", "team.update team:payments"}, actions)
	})
}

func TestStaleEditSavesNothing(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), blueprint.Options{})
		e := st.Organization.Editor(b.keys)
		old, err := e.State(t.Context())
		b.must(err)
		_, err = e.Edit(t.Context(), auth.Tocsin, &organization.RenameTeam{Team: "payments", Name: "Money"})
		b.must(err)
		before, err := e.State(t.Context())
		b.must(err)
		plan, err := organization.MakePlan(old, []organization.Edit{
			&organization.SetProfile{Email: "ana@acme.example", Name: "Anna"}, &organization.PutDeployment{Value: organization.Deployment{Slug: "lab"}},
		}, organization.Options{})
		b.must(err)
		if _, err := e.Store.Apply(t.Context(), auth.Tocsin, plan); !fault.Is(err, fault.KindConflict) {
			t.Errorf("a plan of an old state is answered %v", err)
		}
		after, err := e.State(t.Context())
		b.must(err)
		b.same("the state", before, after)
	})
}

func TestPlannedScheduleVersion(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), blueprint.Options{})
		e := st.Organization.Editor(b.keys)
		change := func(from time.Time, members ...string) {
			t.Helper()
			_, err := e.Edit(t.Context(), auth.Tocsin, &organization.ChangeSchedule{Schedule: "coordinators", From: from, Version: organization.ScheduleVersion{
				Timezone: "UTC", Positions: []string{"main"}, Layers: []organization.Layer{{Name: "all", Members: members}}}})
			b.must(err)
		}
		tomorrow, dayAfter := b.now.Add(24*time.Hour), b.now.Add(48*time.Hour)
		change(dayAfter, "ben@acme.example")
		change(tomorrow, "chiara@acme.example")
		versions := scheduleOf(t, st, "coordinators").Schedule.Versions
		if last := versions[len(versions)-1]; len(versions) != 2 || !last.Effective.Equal(tomorrow) {
			t.Errorf("the versions are %+v", versions)
		}
		b.same("who is on the day after", []string{"chiara@acme.example"}, b.onCall("coordinators", dayAfter, "main"))
	})
}

func TestKeyThatCannotBeOpenedIsKept(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), blueprint.Options{})
		e := st.Organization.Editor(b.keys)
		slug := b.state().Integrations[0].Slug
		_, err := st.Write.ExecContext(t.Context(), st.Rebind("UPDATE integrations SET key_sealed = $1 WHERE slug = $2"), []byte("damaged"), slug)
		b.must(err)
		record := func() organization.IntegrationRecord {
			t.Helper()
			all := b.state().Integrations
			return all[slices.IndexFunc(all, func(i organization.IntegrationRecord) bool { return i.Slug == slug })]
		}
		before := record()
		_, err = e.Edit(t.Context(), auth.Tocsin, &organization.RenameTeam{Team: "payments", Name: "Money"},
			&organization.PutIntegration{Value: organization.Integration{Slug: slug, Name: "Renamed", Service: "checkout-api"}})
		b.must(err)
		after := record()
		if after.Name != "Renamed" || string(after.KeySealed) != "damaged" || !slices.Equal(after.KeyHMAC, before.KeyHMAC) {
			t.Errorf("the integration is %+v, was %+v", after, before)
		}
		key := auth.NewIntegrationKey()
		_, err = e.Edit(t.Context(), auth.Tocsin, &organization.PutIntegration{Value: organization.Integration{Slug: slug, Service: "checkout-api", Key: key}})
		b.must(err)
		if mended := record(); mended.Key != key || mended.KeyErr != nil {
			t.Errorf("with a new key: %+v", mended)
		}
	})
}

// Whatever cannot be read of the configuration is left out of the state, and
// noted.
func TestUnreadableRowsAreLeftOut(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.exec(`INSERT INTO contact_methods (id, user_id, slug, medium, address, verified_at, created_at)
			VALUES (1, 1, 'sms', 'sms', '+4912345', $1, $1), (2, 1, 'mail', 'email', 'ana@acme.example', $1, $1), (3, 2, 'sms', 'sms', '+4954321', $1, $1)`, p.now)
		p.exec(`INSERT INTO schedules (id, slug, name) VALUES (1, 'payments', 'Payments'), (2, 'ledger', 'Ledger')`)
		p.exec(`INSERT INTO schedule_versions (schedule_id, effective_at, definition, created_at, created_by)
			VALUES (1, $1, '{}', $1, 'test'), (1, $2, '{"layers": 7}', $2, 'test'), (2, $1, '{}', $1, 'test')`, p.now.Add(-time.Hour), p.now)
		p.poison("contact_methods", "created_at", "id IN (1, 3)")
		p.exec(`INSERT INTO services (id, slug, name, policy_id, dashboards) VALUES (2, 'ledger', 'Ledger', 1, 'none')`)
		p.exec(`INSERT INTO teams (slug, name, support_hours, slack_channel) VALUES ('payments', 'Payments', 'none', '#payments')`)
		p.exec(`UPDATE organization SET support_hours = 'none'`)
		p.exec(`UPDATE priorities SET criteria = 'none'`)
		p.exec(`INSERT INTO policy_versions (id, policy_id, effective_at, definition, created_at, created_by)
			VALUES (76, 1, $1, '{"steps": 7}', $1, 'test'), (77, 1, $2, '{}', $1, 'test')`, p.now, p.now.Add(time.Hour))
		p.poison("policy_versions", "effective_at", "id = 77")

		s, err := st.Organization.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		people, roster := s.Recipients(), s.Roster(anyMedium)
		if len(people[ana].Methods) != 1 || people[ana].Methods[0].ID != 2 || len(people[ben].Methods) != 0 {
			t.Errorf("recipients %+v", people)
		}
		if !roster.People[ana].Reachable || roster.People[ben].Reachable {
			t.Errorf("people: %+v", roster.People)
		}
		if a, b := len(roster.Schedules[1].Schedule.Versions), len(roster.Schedules[2].Schedule.Versions); a != 1 || b != 1 {
			t.Errorf("the schedules have %d and %d versions that can be read, want 1 each", a, b)
		}
		v := organization.NewView(s, anyMedium)
		if _, ok := v.Catalog().ServiceNamed("ledger"); !ok {
			t.Error("a service whose links cannot be read takes no signals")
		}
		if id := v.Routes().ByService[2].PolicyVersionAt(p.now.Add(time.Hour)); id == nil || *id != 76 {
			t.Errorf("version %v of the policy is in force", id)
		}
		if _, err := v.PolicyVersion(76); !errors.Is(err, escalation.ErrUnreadable) {
			t.Errorf("a policy that cannot be read: %v", err)
		}
		if len(s.Teams) == 0 || s.Teams[0].SlackChannel != "#payments" || s.Teams[0].SupportHours != nil || len(s.Priorities) == 0 || s.Organization.Timezone == "" {
			t.Errorf("teams %+v, priorities %+v, organisation %+v", s.Teams, s.Priorities, s.Organization)
		}
		noted := map[string]int{}
		for _, u := range s.Unreadable {
			noted[u.Table]++
		}
		delete(noted, "priorities") // as many as there are
		if diff := cmp.Diff(map[string]int{"contact_methods": 2, "schedule_versions": 1, "services": 1, "teams": len(s.Teams), "organization": 1, "policy_versions": 2}, noted); diff != "" {
			t.Error(diff)
		}
	})
}

// A contact that changes between the resolution of a signal and its write makes
// nothing stale, and is the one that the next page uses.
func TestContactChangeLeavesQueuedSignalsValid(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		current := organization.NewCurrent(st.Organization, anyMedium, slog.New(slog.DiscardHandler))
		before, err := current.View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		method := notify.ContactMethod{UserID: ana, Slug: "new", Medium: notify.SMS, Address: "+34600000099", VerifiedAt: &p.now, CreatedAt: p.now}
		if err := st.Access.AddContact(t.Context(), "ana@acme.example", &method); err != nil {
			t.Fatal(err)
		}
		results := p.write(p.signal("a", low, func(s *ingest.Signal) { s.ConfigVersion = before.Catalog().Version() }))
		if results[0].Stale || results[0].Number == 0 {
			t.Errorf("the signal is answered %+v", results[0])
		}
		var asked int64
		if _, err := st.Paging.FireDue(t.Context(), p.now, 10, func(version int64, _ []escalation.Due) ([]escalation.Change, error) {
			asked = version
			return nil, errors.New("not now")
		}); err == nil || asked != before.Versions().Revision()+1 {
			t.Errorf("the engine asks for revision %d, %v", asked, err)
		}
		people, err := current.Recipients(t.Context(), asked)
		if err != nil || !slices.ContainsFunc(people[ana].Methods, func(m notify.ContactMethod) bool { return m.Address == method.Address }) {
			t.Errorf("the next page does not use the new contact: %+v, %v", people[ana], err)
		}
		after, err := current.View(t.Context())
		if err != nil || after.Catalog() != before.Catalog() {
			t.Errorf("the catalog was made anew: %v", err)
		}
	})
}
