package store

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	incidents "github.com/tocsin-oncall/tocsin/app/store/incident"
)

func TestReportReplacesOneOfSameInterval(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		report := func(change ...func(*ingest.RecordedReport)) ingest.RecordedReport {
			r := ingest.RecordedReport{ServiceID: 1, IntegrationID: 1, SLOName: "Fast", SLI: "latency", Deployment: "prod-eu",
				From: p.now.Add(-time.Hour), To: p.now, Observed: new(99.5), Total: new(int64(200)), Good: new(int64(199)), ReceivedAt: p.now, Body: []byte("{\u0000}")}
			for _, c := range change {
				c(&r)
			}
			return r
		}
		record := func(reports ...ingest.RecordedReport) {
			t.Helper()
			if err := st.Incidents.RecordReports(t.Context(), reports); err != nil {
				t.Fatal(err)
			}
		}
		record(report())
		record(report(func(r *ingest.RecordedReport) { r.Observed, r.SLOID = new(98.5), new(int64(7)) }))
		if n := p.count("SELECT count(*) FROM slo_reports WHERE observed = 98.5 AND slo_id = 7 AND total = 200 AND good = 199"); n != 1 {
			t.Errorf("%d reports have the latest values", n)
		}
		other := report(func(r *ingest.RecordedReport) { r.ServiceID = 2 })
		record(other, report(func(r *ingest.RecordedReport) { r.Endpoint = "GET /x" }), report(func(r *ingest.RecordedReport) { r.Deployment = "" }),
			report(func(r *ingest.RecordedReport) { r.SLI = "availability" }), report(func(r *ingest.RecordedReport) { r.To = r.To.Add(time.Second) }),
			report(func(r *ingest.RecordedReport) { r.SLA = true }))
		if n := p.count("SELECT count(*) FROM slo_reports"); n != 7 {
			t.Errorf("%d reports", n)
		}

		later := p.now.Add(incidents.ReportsKept)
		record(report(func(r *ingest.RecordedReport) { r.From, r.To, r.ReceivedAt = later.Add(-time.Hour), later, later }))
		if n := p.count("SELECT count(*) FROM slo_reports WHERE service_id = 1"); n != 1 {
			t.Errorf("%d reports of the service are kept", n)
		}
		if n := p.count("SELECT count(*) FROM slo_reports WHERE service_id = 2"); n != 1 {
			t.Error("a report of another service was deleted")
		}
	})
}

func recordOnly(s *ingest.Signal) { s.Rules.RecordOnly = true }

func TestRecordOnlySignalKeepsAlertAndOpensNothing(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		for range 2 {
			if r := p.write(p.signal("a", recordOnly))[0]; r.Status != incident.ResultSuppressed || r.Number != 0 {
				t.Errorf("got %+v", r)
			}
		}
		p.expect(p.settle())
		if n := p.count("SELECT count(*) FROM alerts WHERE occurrences = 2 AND NOT firing AND incident_number = 0"); n != 1 {
			t.Errorf("%d alerts", n)
		}
		if n := p.count("SELECT count(*) FROM incidents"); n != 0 {
			t.Errorf("%d incidents", n)
		}
		// The same batch may hold a signal that pages, since the configuration changed.
		r := p.write(p.signal("b", recordOnly), p.signal("b"), p.signal("b", recordOnly))
		if r[0].Number != 0 || r[1].Status != incident.ResultCreated || r[2].Status != incident.ResultDeduplicated || r[2].Number != r[1].Number {
			t.Errorf("got %+v", r)
		}
		p.expect(p.settle(), "sms-1")
		if r := p.write(p.signal("a", resolve))[0]; r.Status != incident.ResultIgnored {
			t.Errorf("its recovery: %+v", r)
		}
		if r := p.write(p.signal("a"))[0]; r.Status != incident.ResultCreated {
			t.Errorf("a signal that pages: %+v", r)
		}
	})
}
