package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// A resolve that was a slip of the thumb is taken back in silence where somebody
// had the incident.
func TestAResolveIsTakenBackInSilence(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		n := w.breach("Availability")
		w.work()
		ana, ben := w.person("ana@acme.example"), w.person("ben@acme.example")
		ben.post("/incidents/1/acknowledge", http.StatusSeeOther)
		before, err := w.db.Incidents.Incident(t.Context(), n)
		w.must(err)
		w.advance(time.Minute)
		ben.post("/incidents/1/resolve", http.StatusSeeOther)
		contains(t, ben.get("/incidents/1", http.StatusOK), `action="/incidents/1/undo-resolve" data-lapses="10"`, "Reopen and page")
		ana.post("/incidents/1/undo-resolve", http.StatusSeeOther)
		contains(t, ana.get("/incidents/1", http.StatusOK), "Somebody else resolved incident 1", "reopen it")
		w.advance(10 * time.Second)
		ben.post("/incidents/1/undo-resolve", http.StatusSeeOther)
		contains(t, ben.get("/incidents/1", http.StatusOK), "Taken back. It is Ben Adeyemi’s as before", "took the resolve back")
		after, err := w.db.Incidents.Incident(t.Context(), n)
		w.must(err)
		if after.Status != incident.Acknowledged || after.OwnerID == nil || *after.OwnerID != *before.OwnerID || !after.AcknowledgedAt.Equal(*before.AcknowledgedAt) || after.ResolvedAt != nil {
			t.Errorf("it is %s by %s at %v", after.Status, after.AcknowledgedBy, after.AcknowledgedAt)
		}
		if alert, err := w.db.Incidents.LatestAlert(t.Context(), n); err != nil || !alert.Firing || alert.ResolvedAt != nil {
			t.Errorf("its alert fires: %t, resolved %v, %v", alert.Firing, alert.ResolvedAt, err)
		}
		w.advance(24 * time.Hour)
		if sent := w.work(); len(sent) != 0 {
			t.Errorf("%d messages were sent", len(sent))
		}
		ben.post("/incidents/1/resolve", http.StatusSeeOther)
		w.advance(incident.UndoWithin + time.Second)
		ben.post("/incidents/1/undo-resolve", http.StatusSeeOther)
		contains(t, ben.get("/incidents/1", http.StatusOK), "It is too late to take that back", "reopen it")
	})
}

// Where nobody had it, the policy goes on with the step that it was at.
func TestAResolveOfWhatNobodyHadIsTakenBackAndPages(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		n := w.breach("Availability")
		w.work()
		w.advance(61 * time.Minute) // the second step
		w.work()
		ana := w.person("ana@acme.example")
		ana.post("/incidents/1/resolve", http.StatusSeeOther)
		ana.post("/incidents/1/undo-resolve", http.StatusSeeOther)
		contains(t, ana.get("/incidents/1", http.StatusOK), "Nobody had it, so paging goes on", "the policy goes on with the step that it was at")
		if sent := w.work(); len(sent) == 0 {
			t.Error("nobody is paged")
		}
		records, err := w.db.Paging.IncidentPages(t.Context(), n)
		w.must(err)
		if last := records[len(records)-1]; last.Step != 2 || last.Run != 1 {
			t.Errorf("the last page is of step %d in run %d, want the second in the first", last.Step, last.Run)
		}
	})
}
