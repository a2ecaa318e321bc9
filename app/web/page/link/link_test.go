package link_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestLinkInMessage(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("Availability")
		a.RunDue()
		link := func(who string, life time.Duration) string {
			return "/a/" + a.Keys.SignLink(auth.PageLink{Incident: n, UserID: a.UserID(who), MessageID: 1, Expires: a.Now().Add(life)})
		}
		b := a.Browser()
		bens, anas := link("ben@acme.example", time.Hour), link("ana@acme.example", time.Hour)
		webtest.Contains(t, b.Get(bens, http.StatusOK), "Availability", "You act as Ben Adeyemi", "Acknowledge",
			"You are paged because <bdi>you are main on call in Payments (policy Payments, step 1)</bdi>", "Nobody else is paged now.", "Next: Chiara at")
		status := func() incident.Status {
			row, err := a.DB.Incidents.Incident(t.Context(), n)
			a.Must(err)
			return row.Status
		}
		if status() != incident.Triggered {
			t.Fatal("opening a link acted")
		}
		b.Post(bens, http.StatusBadRequest)
		const acknowledge, resolve = `name="action" value="acknowledge"`, `name="action" value="resolve"`
		webtest.Contains(t, b.Get(bens, http.StatusOK), acknowledge, resolve)
		acknowledged := b.Post(bens, http.StatusOK, "action", "acknowledge")
		webtest.Contains(t, acknowledged, "You own this incident", resolve)
		webtest.Lacks(t, acknowledged, acknowledge)
		events, err := a.DB.Incidents.Timeline(t.Context(), n, 0, 0)
		a.Must(err)
		if last := events[len(events)-1]; last.Payload != (incident.AcknowledgedPayload{Via: "link"}) || last.Actor != "ben@acme.example" {
			t.Errorf("the timeline ends with %+v", last)
		}
		webtest.Contains(t, b.Post(anas, http.StatusOK, "action", "acknowledge"), "Ben Adeyemi was first")
		again := b.Get(anas, http.StatusOK)
		webtest.Contains(t, again, "Ben Adeyemi acknowledged it", resolve)
		webtest.Lacks(t, again, acknowledge)
		resolved := b.Post(anas, http.StatusOK, "action", "resolve", "resolution", "Rolled back.")
		webtest.Contains(t, resolved, "Resolved")
		webtest.Lacks(t, resolved, acknowledge, resolve)
		late := b.Post(bens, http.StatusOK, "action", "acknowledge")
		webtest.Contains(t, late, "Resolved", ", by Ana Ortiz.")
		webtest.Lacks(t, late, "You own this incident", acknowledge, resolve)
		if status() != incident.Resolved {
			t.Error("it is not resolved")
		}
		b.Get(bens[:len(bens)-1], http.StatusNotFound)
		b.Post(bens[:len(bens)-1], http.StatusNotFound, "action", "resolve")
		b.Get(link("ben@acme.example", -2*time.Hour), http.StatusGone)
		a.Must(a.Auth.SetActive(t.Context(), auth.Tocsin, a.UserID("ben@acme.example"), false))
		b.Get(bens, http.StatusGone)
		a.Must(a.Auth.SetRole(t.Context(), auth.Tocsin, a.UserID("ana@acme.example"), auth.Stakeholder))
		b.Get(anas, http.StatusOK) // she was paged for it
		b.Post(anas, http.StatusForbidden, "action", "resolve")
	})
}

func TestStakeholderAcknowledgesByLink(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("Availability")
		a.RunDue()
		a.Must(a.Auth.SetRole(t.Context(), auth.Tocsin, a.UserID("ana@acme.example"), auth.Stakeholder))
		link := "/a/" + a.Keys.SignLink(auth.PageLink{Incident: n, UserID: a.UserID("ana@acme.example"), MessageID: 1, Expires: a.Now().Add(time.Hour)})
		b := a.Browser()
		webtest.Lacks(t, b.Get(link, http.StatusOK), `name="action" value="resolve"`)
		webtest.Contains(t, b.Post(link, http.StatusOK, "action", "acknowledge"), "You own this incident")
	})
}

func TestLinkOfShadowStopsNothing(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.BenShadowsChiara()
		n := a.PostBreach("Availability")
		a.RunDue()
		link := "/a/" + a.Keys.SignLink(auth.PageLink{Incident: n, UserID: a.UserID("ben@acme.example"), MessageID: 1, Expires: a.Now().Add(time.Hour)})
		answer := a.Browser().Post(link, http.StatusOK, "action", "acknowledge")
		webtest.Contains(t, answer, `name="action" value="acknowledge"`)
		webtest.Lacks(t, answer, "You own this incident", "acknowledged it", "was first")
		row, err := a.DB.Incidents.Incident(t.Context(), n)
		a.Must(err)
		if row.Status != incident.Triggered {
			t.Errorf("it is %s", row.Status)
		}
	})
}

func TestLinkEscalates(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("Availability")
		a.RunDue()
		link := "/a/" + a.Keys.SignLink(auth.PageLink{Incident: n, UserID: a.UserID("ben@acme.example"), MessageID: 1, Expires: a.Now().Add(time.Hour)})
		b := a.Browser()
		webtest.Contains(t, b.Get(link, http.StatusOK), "I cannot take it", `name="action" value="escalate"`, "This pages")
		webtest.Contains(t, b.Post(link, http.StatusOK, "action", "escalate"), "Escalated.", "Acknowledge")
		sent := a.RunDue()
		if len(sent) == 0 || sent[0].Name != "Chiara Conti" {
			t.Errorf("the escalation sent %+v; want a message to Chiara Conti", sent)
		}
		webtest.Contains(t, b.Post(link, http.StatusOK, "action", "escalate"), "Escalated. Paged now: Chiara Conti.")
		row, err := a.DB.Incidents.Incident(t.Context(), n)
		a.Must(err)
		if row.Status != incident.Triggered {
			t.Errorf("it is %s", row.Status)
		}
	})
}

func TestLinkAnswersRequest(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("Availability")
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		address := "/incidents/" + web.FormatInt(n)
		ana.Post(address+"/acknowledge", http.StatusSeeOther)
		link := func(who string) string {
			return "/a/" + a.Keys.SignLink(auth.PageLink{Incident: n, UserID: a.UserID(who), MessageID: 1, Expires: a.Now().Add(time.Hour)})
		}
		b := a.Browser()
		const decline = `name="action" value="decline"`
		webtest.Lacks(t, b.Get(link("chiara@acme.example"), http.StatusOK), decline)
		for _, who := range []string{"ben@acme.example", "chiara@acme.example"} {
			ana.Post(address+"/responders", http.StatusSeeOther, "users", web.FormatInt(a.UserID(who)), "message", "Look at the ledger")
		}
		a.RunDue()
		webtest.Contains(t, b.Get(link("chiara@acme.example"), http.StatusOK), "Ana Ortiz asks you to join.", "Look at the ledger", ">Join<", decline)
		declined := b.Post(link("chiara@acme.example"), http.StatusOK, "action", "decline")
		webtest.Contains(t, declined, "Declined.")
		webtest.Lacks(t, declined, decline, ">Join<")
		webtest.Contains(t, b.Post(link("ben@acme.example"), http.StatusOK, "action", "acknowledge"), "You joined. Ana Ortiz still owns this incident.")
		ana.Post(address+"/handover", http.StatusSeeOther, "user", web.FormatInt(a.UserID("ben@acme.example")))
		a.RunDue()
		webtest.Contains(t, b.Get(link("ben@acme.example"), http.StatusOK), "Ana Ortiz asks you to take this over.", ">Take over<", decline)
		webtest.Contains(t, b.Post(link("ben@acme.example"), http.StatusOK, "action", "acknowledge"), "You own this incident now.")
		row, err := a.DB.Incidents.Incident(t.Context(), n)
		a.Must(err)
		if row.OwnerID == nil || *row.OwnerID != a.UserID("ben@acme.example") {
			t.Errorf("the owner is %v", row.OwnerID)
		}
	})
}
