package ingest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

func (h *fixture) RecordReports(_ context.Context, reports []ingest.RecordedReport) error {
	if h.recordErr != nil {
		return h.recordErr
	}
	h.reports = append(h.reports, reports...)
	return nil
}

const interval = `"interval":{"from":"2026-11-23T17:00:00Z","to":"2026-11-23T18:00:00Z"}`

func TestReportIsRecordedAndPagesNobody(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	body := `{"status":"report","service":"checkout-api","deployment":"prod-eu","endpoint":"GET /x","sli":"availability",
		"slo":{"name":"Availability of get data API","objective":99.7},"observed":99.9,"total":2000,"good":1998,
		"error_budget":{"remaining_percent":80.5,"depleted_percent":0.5,"depletion_window":"60m","burn_rate":1.5},` + interval + `}`
	answer, err := h.post("own", body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != ingest.ResultRecorded || answer.Incident != nil || answer.DedupKey != "" || len(answer.Warnings) > 0 {
		t.Errorf("answer %+v", answer)
	}
	want := []ingest.RecordedReport{{
		ServiceID: 1, IntegrationID: 1, SLOID: new(int64(1)), SLOName: "Availability of get data API", SLI: "availability", Endpoint: "GET /x", Deployment: "prod-eu",
		From: time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC),
		Objective: new(99.7), Observed: new(99.9), BudgetRemaining: new(80.5), BudgetDepleted: new(0.5), DepletionWindow: 3600, BurnRate: new(1.5),
		Total: new(int64(2000)), Good: new(int64(1998)), ReceivedAt: time.Date(2026, 11, 23, 18, 5, 0, 1000, time.UTC), Body: []byte(body),
	}}
	if diff := cmp.Diff(want, h.reports); diff != "" {
		t.Error(diff)
	}
	if len(h.submitted) > 0 {
		t.Errorf("it became a signal: %+v", h.submitted)
	}
}

func TestReportOfUnknownSLOIsKept(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	answer, err := h.post("own", breach(`"status":"report","observed":99,"deployment":"moon",`+interval))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.reports) != 1 || h.reports[0].SLOID != nil || h.reports[0].SLOName != "Fast" {
		t.Errorf("reports %+v", h.reports)
	}
	if all := strings.Join(answer.Warnings, " "); !strings.Contains(all, "no such SLO") || !strings.Contains(all, `"moon" is not known`) {
		t.Errorf("warnings %q", answer.Warnings)
	}
}

func TestSLAIsNoSLOOfTheCatalog(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	of := func(objective, more string) string {
		return `{"service":"checkout-api","sli":"availability","` + objective + `":{"name":"get-data"}` + more + `}`
	}
	if s, _ := h.last(t, "own", of("slo", "")); s.Event.Priority == nil || *s.Event.Priority != 3 {
		t.Errorf("the SLO has the priority %v", s.Event.Priority)
	}
	if s, _ := h.last(t, "own", of("sla", "")); s.Event.Priority != nil {
		t.Errorf("the SLA has the SLO's priority %d", *s.Event.Priority)
	}
	answer, err := h.post("own", of("sla", `,"status":"report","observed":99,`+interval))
	if err != nil || len(answer.Warnings) > 0 || len(h.reports) != 1 || h.reports[0].SLOID != nil || !h.reports[0].SLA {
		t.Errorf("its report: %v, warnings %q, %+v", err, answer.Warnings, h.reports)
	}
}

func TestSendersPauseIsShown(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	if s, _ := h.last(t, "own", breach(`"snooze":"120m"`)); s.Event.Facts.PausedUntil == nil || !s.Event.Facts.PausedUntil.Equal(h.now.Add(2*time.Hour).Truncate(time.Microsecond)) {
		t.Errorf("paused until %v", s.Event.Facts.PausedUntil)
	}
	for _, members := range []string{`"snooze":"0m"`, `"status":"recovered","snooze":"120m"`} {
		if s, _ := h.last(t, "own", breach(members)); s.Event.Facts.PausedUntil != nil {
			t.Errorf("%s: paused until %v", members, s.Event.Facts.PausedUntil)
		}
	}
}

func TestReportThatEndsInTheFutureIsRefused(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	for to, refused := range map[string]bool{"2026-11-23T18:10:00Z": false, "2026-11-23T18:10:01Z": true} {
		_, err := h.post("own", breach(`"status":"report","observed":99,"interval":{"from":"2026-11-23T17:00:00Z","to":"`+to+`"}`))
		f, ok := errors.AsType[*fault.Error](err)
		if ok != refused || refused && (f.Kind != fault.KindInvalid || f.Fields[0].Path != "interval.to") {
			t.Errorf("%s: %v", to, err)
		}
	}
	if len(h.rejections) != 1 {
		t.Errorf("%d requests are listed for replay", len(h.rejections))
	}
}

func TestReportThatCannotBeStoredIsAskedForAgain(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.recordErr = errors.New("no disk")
	if _, err := h.post("own", breach(`"status":"report","observed":99,`+interval)); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestBreachFromOtherDeploymentIsRecordOnly(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.contents.SLOs[0].Deployments = []string{"prod-eu"}
	if _, err := h.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	of := func(deployment string) string {
		return `{"service":"checkout-api","sli":"availability","slo":{"name":"get-data"},"deployment":"` + deployment + `"}`
	}
	for deployment, recordOnly := range map[string]bool{"prod-eu": false, "staging": true, "moon": false, "": false} {
		s, answer := h.last(t, "own", of(deployment))
		warned := slices.ContainsFunc(answer.Warnings, func(w string) bool { return strings.Contains(w, "pages nobody") })
		if s.Rules.RecordOnly != recordOnly || warned != recordOnly {
			t.Errorf("%q: record only %t, warnings %q", deployment, s.Rules.RecordOnly, answer.Warnings)
		}
	}
}
