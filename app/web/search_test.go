package web

import (
	"net/http"
	"testing"
)

// The field says "Title, number, key", and that is what it finds.
func TestASearchFindsWhereverItIs(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.breach("Availability")
		w.breach("Latency")
		w.work()
		ana := w.person("ana@acme.example")
		ana.post("/incidents/1/resolve", http.StatusSeeOther, "resolution", "")
		row, err := w.db.Incidents.Incident(t.Context(), 1)
		w.must(err)
		for _, number := range []string{"1", "%231", "+1+"} {
			page := ana.get("/incidents?tab=open&q="+number, http.StatusOK)
			contains(t, page, `id="incident-1"`)
			lacks(t, page, "Nothing matches")
		}
		contains(t, ana.get("/incidents?tab=resolved&q=2", http.StatusOK), `id="incident-2"`)
		contains(t, ana.get("/incidents?tab=resolved&q="+row.DedupKey[:4], http.StatusOK), `id="incident-1"`)
		contains(t, ana.get("/incidents?tab=open&q=avail", http.StatusOK), "Nothing matches", "Found elsewhere", "1 resolved")
		lacks(t, ana.get("/incidents?tab=open&q=nowhere", http.StatusOK), "Found elsewhere")
		lacks(t, ana.get("/incidents?tab=resolved&q=avail", http.StatusOK), "Found elsewhere")
	})
}
