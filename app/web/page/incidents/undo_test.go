package incidents_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// A resolve that was a slip of the thumb is taken back in silence where somebody
// had the incident.
func TestUndoResolveKeepsOwner(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("Availability")
		a.RunDue()
		ana, ben := a.SignIn("ana@acme.example"), a.SignIn("ben@acme.example")
		ben.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		before, err := a.DB.Incidents.Incident(t.Context(), n)
		a.Must(err)
		a.Advance(time.Minute)
		ben.Post("/incidents/1/resolve", http.StatusSeeOther)
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), `action="/incidents/1/undo-resolve" data-lapses="10"`, "Reopen and page")
		ana.Post("/incidents/1/undo-resolve", http.StatusSeeOther)
		webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "Somebody else resolved incident 1", "reopen it")
		a.Advance(10 * time.Second)
		ben.Post("/incidents/1/undo-resolve", http.StatusSeeOther)
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), "Resolve undone. You still own it", "took the resolve back")
		after, err := a.DB.Incidents.Incident(t.Context(), n)
		a.Must(err)
		if after.Status != incident.Acknowledged || after.OwnerID == nil || *after.OwnerID != *before.OwnerID || !after.AcknowledgedAt.Equal(*before.AcknowledgedAt) || after.ResolvedAt != nil {
			t.Errorf("it is %s by %s at %v", after.Status, after.AcknowledgedBy, after.AcknowledgedAt)
		}
		if alert, err := a.DB.Incidents.LatestAlert(t.Context(), n); err != nil || !alert.Firing || alert.ResolvedAt != nil {
			t.Errorf("its alert fires: %t, resolved %v, %v", alert.Firing, alert.ResolvedAt, err)
		}
		a.Advance(24 * time.Hour)
		if sent := a.RunDue(); len(sent) != 0 {
			t.Errorf("%d messages were sent", len(sent))
		}
		ben.Post("/incidents/1/resolve", http.StatusSeeOther)
		a.Advance(incident.UndoWithin + time.Second)
		ben.Post("/incidents/1/undo-resolve", http.StatusSeeOther)
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), "It is too late to take that back", "reopen it")
	})
}

// Where nobody had it, the policy goes on with the step that it was at.
func TestUndoResolveWithoutOwnerPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("Availability")
		a.RunDue()
		a.Advance(61 * time.Minute) // the second step
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		ana.Post("/incidents/1/resolve", http.StatusSeeOther)
		ana.Post("/incidents/1/undo-resolve", http.StatusSeeOther)
		webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "Nobody owns it, so paging goes on", "the policy goes on with the step that it was at")
		if sent := a.RunDue(); len(sent) == 0 {
			t.Error("nobody is paged")
		}
		records, err := a.DB.Paging.IncidentPages(t.Context(), n)
		a.Must(err)
		if last := records[len(records)-1]; last.Step != 2 || last.Run != 1 {
			t.Errorf("the last page is of step %d in run %d, want the second in the first", last.Step, last.Run)
		}
	})
}
