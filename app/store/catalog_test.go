package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	storeincident "github.com/tocsin-oncall/tocsin/app/store/incident"
)

func TestCatalogIsRead(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)

		view := viewOf(t, st)
		shop, err := view.ServiceBySlug("online-shop")
		b.must(err)
		b.same("children", []string{"checkout-api"}, namesOf(view.ChildrenOf(shop.ID), func(s catalog.Service) string { return s.Slug }))
		api, err := view.ServiceBySlug("checkout-api")
		b.must(err)
		b.same("surroundings", "online-shop payments payments", view.Service(*api.ParentID).Slug+" "+view.Team(*api.TeamID).Slug+" "+view.Policy(*api.PolicyID).Slug)
		b.same("deployments", []string{"prod-eu", "prod-us"}, namesOf(view.DeploymentsOf(api.ID), func(d catalog.Deployment) string { return d.Slug }))
		b.same("SLOs", []string{"get-data-availability", "default-availability"}, namesOf(view.SLOsOf(api.ID), func(o catalog.SLO) string { return o.Slug }))
		b.same("integrations", []string{"sre"}, namesOf(view.IntegrationsOf(api.ID), func(i organization.IntegrationRecord) string { return i.Slug }))

		team, err := view.TeamBySlug("payments")
		b.must(err)
		b.same("the manager", "dev.manager@acme.example", view.User(*team.ManagerID).Email)
		b.same("members by name", []string{"Ana Ortiz", "Ben Adeyemi", "Chiara Conti"}, namesOf(view.MembersOf(team.ID), func(u auth.User) string { return u.Name }))

		policy, err := view.PolicyBySlug("payments")
		b.must(err)
		b.same("timeouts", []int64{3600, 7200, 14400, 3600}, namesOf(policy.Policy.Steps, func(s escalation.Step) int64 { return s.Timeout }))
	})
}

func namesOf[T, N any](list []T, name func(T) N) []N {
	all := make([]N, len(list))
	for i, v := range list {
		all[i] = name(v)
	}
	return all
}

func TestMissingRowsAreNotFound(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		ctx := t.Context()
		view := viewOf(t, st)
		_, team := view.TeamBySlug("x")
		_, service := view.ServiceBySlug("x")
		_, schedule := view.ScheduleBySlug("x")
		_, policy := view.PolicyBySlug("x")
		_, version := view.PolicyVersion(9)
		_, integration := view.IntegrationBySlug("x")
		_, rejection := st.Incidents.Rejection(ctx, 9)
		for what, err := range map[string]error{"team": team, "service": service, "schedule": schedule, "policy": policy,
			"version": version, "integration": integration, "rejection": rejection} {
			if !fault.Is(err, fault.KindNotFound) {
				t.Errorf("a %s that is not there: %v", what, err)
			}
		}
	})
}

func TestPolicyVersionsAreKept(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		before := viewOf(t, st).Catalog()
		service, ok := before.ServiceNamed("checkout API")
		if !ok {
			t.Fatal("the service is not found by its name")
		}
		first, ok := before.PolicyVersionAt(*service.PolicyID, b.now)
		if !ok {
			t.Fatal("no version is in force")
		}
		b.now = b.now.Add(time.Second)
		b.apply("version: 1\nescalation_policies: [{slug: payments, steps: [{timeout: 5m, targets: [{role: administrator}]}]}]\n", trusted)

		view := viewOf(t, st)
		after := view.Catalog()
		second, _ := after.PolicyVersionAt(*service.PolicyID, st.Now())
		old, err := view.PolicyVersion(first)
		b.must(err)
		present, err := view.PolicyVersion(second)
		b.must(err)
		b.same("steps before and after", "4 1", fmt.Sprint(len(old.Policy.Steps), " ", len(present.Policy.Steps)))
		if after.Version() <= before.Version() {
			t.Errorf("version %d came after %d", after.Version(), before.Version())
		}
		if _, ok := after.IntegrationByKey(b.keys.IntegrationHMAC("slo0000000000000000000000000key1")); !ok {
			t.Error("the integration is not found by its key")
		}
	})
}

func TestDeactivatedPersonIsNotReachable(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		ben, err := st.Access.UserByEmail(t.Context(), "ben@acme.example")
		b.must(err)
		b.apply("version: 1\nusers: [{email: ben@acme.example, deactivated: true}]\n", trusted)
		all := func(notify.Medium) bool { return true }
		view := viewOf(t, st)
		roster, people := view.Roster(), view.Recipients()
		if roster.People[ben.ID].Reachable || len(people[ben.ID].Working(all)) > 0 {
			t.Error("Ben would be paged")
		}
		after, err := st.Access.User(t.Context(), ben.ID)
		b.must(err)
		if after.SessionEpoch == ben.SessionEpoch {
			t.Error("his sessions go on")
		}
		b.same("the export", "! schedule payments: the override of main from 2026-12-24T09:00:00+01:00 to 2026-12-27T09:00:00+01:00, ben@acme.example for chiara@acme.example has no effect, since Ben Adeyemi is deactivated.\n"+nothing,
			b.apply(b.export(), trusted))
		var notices []string
		b.must(st.GormRead(t.Context()).Raw("SELECT address || ': ' || body FROM messages").Scan(&notices).Error)
		if want := []string{"dev.manager@acme.example: Ben Adeyemi of Payments was deactivated in Tocsin. The next member of each rotation covers. Check the schedules."}; !slices.Equal(notices, want) {
			t.Errorf("the manager is told %q, want %q", notices, want)
		}
	})
}

func TestOldRejectionsAreDeleted(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		b := openBlueprints(t, st)
		b.apply(b.example(), trusted)
		b.apply("version: 1\nintegrations: [{slug: other}]\n", trusted)
		ctx := t.Context()
		sre, err := viewOf(t, st).IntegrationBySlug("sre")
		b.must(err)
		other, err := viewOf(t, st).IntegrationBySlug("other")
		b.must(err)
		reject := func(id int64, reason string) {
			b.must(st.Incidents.Reject(ctx, ingest.Rejection{IntegrationID: id, ReceivedAt: b.now, Status: 422, Reason: reason,
				Fields: []ingest.RejectedField{rejectedField("sli", 1), rejectedField("slo", 3)}, Body: []byte{0, 0xff}}))
		}
		reject(other.ID, "another's")
		for i := range storeincident.MaxRejections + 3 {
			reject(sre.ID, fmt.Sprint(i))
		}
		first, err := st.Incidents.Rejections(ctx, sre.ID, 0, 2)
		b.must(err)
		b.same("the newest", []string{"202", "201"}, namesOf(first, func(r ingest.Rejection) string { return r.Reason }))
		rest, err := st.Incidents.Rejections(ctx, sre.ID, first[1].ID, 1000)
		b.must(err)
		b.same("how many are left", storeincident.MaxRejections-2, len(rest))
		b.same("the oldest", "3", rest[len(rest)-1].Reason)
		others, err := st.Incidents.Rejections(ctx, other.ID, 0, 10)
		b.must(err)
		b.same("another's", 1, len(others))

		r := first[0]
		b.same("the fields", []ingest.RejectedField{rejectedField("sli", 1), rejectedField("slo", 3)}, r.Fields)
		r.ReplayedAt, r.ReplayedBy, r.ReplayResult = &b.now, "ana@acme.example", "created"
		r.Fields = r.Fields[1:]
		b.must(st.Incidents.Replayed(ctx, r))
		kept, err := st.Incidents.Rejection(ctx, r.ID)
		b.must(err)
		b.same("the replay", "ana@acme.example created", kept.ReplayedBy+" "+kept.ReplayResult)
		b.same("the body", []byte{0, 0xff}, kept.Body)
		b.same("the fields after the replay", []ingest.RejectedField{rejectedField("slo", 3)}, kept.Fields)
		b.same("the time of the replay", true, kept.ReplayedAt.Equal(b.now))
		gone := fault.KindOf(st.Incidents.Replayed(ctx, ingest.Rejection{ID: 99999}))
		b.same("the replay of none", fault.KindNotFound, gone)
	})
}

func rejectedField(path string, event int) ingest.RejectedField {
	return ingest.RejectedField{Field: fault.Field{Path: path, Message: "Name it."}, Event: event}
}
