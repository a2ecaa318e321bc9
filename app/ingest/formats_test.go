package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(string(body), "\n")
	return line
}

// lines is a wire format with everything that one may have. A request is its key
// and then an event a line: action, service, dedup key, group.
var lines = ingest.Format{
	Kind: "lines", Name: "Lines",
	Endpoints: []ingest.Endpoint{
		{Method: http.MethodPost, Path: "/lines", KeyInPath: true},
		{Method: http.MethodPost, Path: "/lines/keyed", Key: firstLine, Redact: bytes.Clone},
	},
	Names: ingest.Names{Service: "word 2"},
	Decode: func(in ingest.Input) ([]ingest.Event, error) {
		var events []ingest.Event
		_, rest, _ := strings.Cut(string(in.Body), "\n")
		for line := range strings.Lines(rest) {
			words := strings.Split(strings.TrimSuffix(line, "\n"), " ")
			if len(words) != 4 {
				return nil, fault.Malformed("Line %q has not 4 words.", line)
			}
			ev := ingest.Event{}
			ev.Action, ev.ServiceName, ev.DedupKey, ev.Group = incident.Action(words[0]), words[1], words[2], words[3]
			ev.Body = []byte(line)
			if words[0] == "change" {
				ev.Change = &ingest.Change{Summary: words[2]}
			}
			events = append(events, ev)
		}
		return events, nil
	},
	Answer: func(in ingest.Input, answers []ingest.Answer, reply *ingest.Reply) {
		reply.Status, reply.ContentType = http.StatusOK, "text/plain"
		for _, a := range answers {
			reply.Body = fmt.Appendf(reply.Body, "%s %s\n", in.Endpoint, a.Status)
		}
	},
	Refuse: func(_ ingest.Input, err error) (ingest.Reply, bool) {
		return ingest.Reply{Status: 418, ContentType: "text/plain", Body: []byte(err.Error())}, fault.Is(err, fault.KindMalformed)
	},
	Snippets: func(string, string) []ingest.Snippet { return nil },
}

func (h *fixture) postLines(key, endpoint string, body ...string) ([]ingest.Answer, error) {
	return h.service.Accept(h.t.Context(), ingest.Request{Key: key, Endpoint: endpoint, Body: []byte(strings.Join(body, "\n"))})
}

func statuses(answers []ingest.Answer) []incident.Result {
	var all []incident.Result
	for _, a := range answers {
		all = append(all, a.Status)
	}
	return all
}

func TestFormatsAreRegisteredOnce(t *testing.T) {
	t.Parallel()
	other := func(change func(*ingest.Format)) ingest.Format {
		f := lines
		f.Kind, f.Endpoints = "other", []ingest.Endpoint{{Method: http.MethodPost, Path: "/other"}}
		change(&f)
		return f
	}
	for name, f := range map[string]ingest.Format{
		"same kind":        other(func(f *ingest.Format) { f.Kind = "slo" }),
		"same path":        other(func(f *ingest.Format) { f.Endpoints[0].Path = slo.Path }),
		"no kind":          other(func(f *ingest.Format) { f.Kind = "" }),
		"no decoder":       other(func(f *ingest.Format) { f.Decode = nil }),
		"no answer":        other(func(f *ingest.Format) { f.Answer = nil }),
		"no endpoint":      other(func(f *ingest.Format) { f.Endpoints = nil }),
		"no method":        other(func(f *ingest.Format) { f.Endpoints[0].Method = "" }),
		"slash at the end": other(func(f *ingest.Format) { f.Endpoints[0].Path = "/other/" }),
		"no secrets":       other(func(f *ingest.Format) { f.Endpoints[0].Key = firstLine }),
	} {
		if _, err := ingest.NewFormats(slo.Format, f); err == nil {
			t.Errorf("%s: registered", name)
		}
	}
	formats, err := ingest.NewFormats(slo.Format, lines, other(func(*ingest.Format) {}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"lines", "other", "slo"}, formats.Kinds()); diff != "" {
		t.Error(diff)
	}
	if f, e, ok := formats.Endpoint("/lines/keyed"); !ok || f.Kind != "lines" || e.Key == nil {
		t.Errorf("got %+v, %+v", f, e)
	}
	if _, _, ok := formats.Endpoint("/nowhere"); ok {
		t.Error("a path that nobody registered has a format")
	}
}

func TestRequestIsSubmittedOnce(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.firing = "c"
	answers, err := h.postLines("lines", "/lines", "", "trigger ledger a g", "trigger checkout-api b g", "resolve ledger c g")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]incident.Result{"created", "created", "resolved"}, statuses(answers)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{3}, h.units); diff != "" || h.submitted[0].ServiceID != 2 || h.submitted[1].ServiceID != 1 || h.submitted[2].Event.Group != "g" {
		t.Errorf("submitted %s %+v", diff, h.submitted)
	}
}

// An event that cannot be accepted is refused; the others of its request are accepted.
func TestRefusedEventAffectsNoOther(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	answers, err := h.postLines("lines", "/lines", "", "trigger nobody a g", "trigger ledger b g")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]incident.Result{ingest.ResultRefused, "created"}, statuses(answers)); diff != "" || answers[0].Warnings[0] != `There is no service "nobody".` {
		t.Errorf("%s %+v", diff, answers[0])
	}
	if len(h.rejections) != 1 || h.rejections[0].Endpoint != "/lines" || h.rejections[0].Status != 422 || !strings.Contains(string(h.rejections[0].Body), "b g") {
		t.Errorf("listed %+v", h.rejections)
	}
	if _, err := h.postLines("lines", "/lines", "", "trigger nobody a g", "trigger nowhere b g"); !fault.Is(err, fault.KindInvalid) || len(h.submitted) != 1 {
		t.Errorf("where all are refused: %v", err)
	}
}

func TestStaleEventsAreResolvedAgain(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.stale = 1
	h.contents.Organization.ConfigVersion = 5
	h.contents.Services = h.contents.Services[:1]
	answers, err := h.postLines("lines", "/lines", "", "trigger ledger a g", "trigger checkout-api b g")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]incident.Result{ingest.ResultRefused, "created"}, statuses(answers)); diff != "" || len(h.submitted) != 1 || h.submitted[0].ConfigVersion != 5 {
		t.Errorf("%s, submitted %+v", diff, h.submitted)
	}
}

func TestKeyInTheBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, body string
		want      fault.Kind
	}{
		{"", "lines\ntrigger ledger a g", ""},
		{"lines", "nobody\ntrigger ledger a g", ""},
		{"", "nobody\ntrigger ledger a g", fault.KindUnauthorized},
		{"", "own\ntrigger ledger a g", fault.KindUnauthorized}, // the key of another format
		{"", "", fault.KindUnauthorized},
	} {
		h, reads := newFixture(t), 0
		_, err := h.service.Accept(t.Context(), ingest.Request{Key: c.key, Endpoint: "/lines/keyed", Read: func() ([]byte, error) {
			reads++
			return []byte(c.body), nil
		}})
		if (err == nil) != (c.want == "") || c.want != "" && !fault.Is(err, c.want) || reads != 1 || len(h.rejections) > 0 {
			t.Errorf("%q in %q: %v after %d reads", c.key, c.body, err, reads)
		}
	}
}

func TestRejectedBodyHidesKey(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	if _, err := h.postLines("", "/lines/keyed", "lines", "broken"); !fault.Is(err, fault.KindMalformed) {
		t.Fatalf("got %v, want malformed", err)
	}
	if len(h.rejections) != 1 || string(h.rejections[0].Body) != "***\nbroken" {
		t.Errorf("listed as %+v", h.rejections)
	}
}

func TestReplayUsesFormatOfEndpoint(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	if _, err := h.postLines("lines", "/lines", "", "trigger orders a g"); err == nil {
		t.Fatal("an unknown service was accepted")
	}
	h.contents.Organization.CatchAllServiceID = new(int64(3))
	answers, err := h.service.Replay(t.Context(), 1, "ana@acme.example")
	if err != nil || answers[0].Status != incident.ResultCreated || h.submitted[0].Event.DedupKey != "a" || h.rejections[0].ReplayResult != "created" {
		t.Errorf("got %+v, %v", answers, err)
	}
	h.rejections = append(h.rejections, ingest.Rejection{ID: 2, IntegrationID: 5, Endpoint: "/gone"})
	if _, err := h.service.Replay(t.Context(), 2, "ana@acme.example"); !fault.Is(err, fault.KindConflict) {
		t.Errorf("a format that is gone: %v", err)
	}
}

func TestFormatReplies(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	serve := func(body string) (ingest.Reply, error) {
		reply := ingest.Reply{Body: make([]byte, 0, 10)}
		err := h.service.Serve(t.Context(), ingest.Request{Key: "lines", Endpoint: "/lines", Body: []byte(body)}, &reply)
		return reply, err
	}
	if reply, err := serve("\ntrigger ledger a g"); err != nil || reply.Status != 200 || string(reply.Body) != "/lines created\n" {
		t.Errorf("got %+v, %v", reply, err)
	}
	if reply, err := serve("\ntrigger"); !fault.Is(err, fault.KindMalformed) || reply.Status != 418 || !strings.Contains(string(reply.Body), "4 words") {
		t.Errorf("got %+v, %v", reply, err)
	}
	if reply, err := serve("\ntrigger nobody a g"); !fault.Is(err, fault.KindInvalid) || reply.Status != 0 {
		t.Errorf("got %+v, %v", reply, err)
	}
	if reply, err := serve(""); err != nil || reply.Status != 200 || len(reply.Body) != 0 {
		t.Errorf("a request that asks for nothing: %+v, %v", reply, err)
	}
	err := h.service.Serve(t.Context(), ingest.Request{Key: "lines", Endpoint: "/nowhere"}, &ingest.Reply{})
	if !fault.Is(err, fault.KindNotFound) {
		t.Errorf("an endpoint that nobody registered: %v", err)
	}
}

func TestChangeIsRecorded(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	answers, err := h.postLines("lines", "/lines", "", "change ledger v1.2 -")
	if err != nil || answers[0].Status != ingest.ResultRecorded || answers[0].Incident != nil || len(h.submitted) != 0 {
		t.Fatalf("got %+v, %v, submitted %v", answers, err, h.submitted)
	}
	at := h.now.UTC().Truncate(time.Microsecond)
	want := []ingest.RecordedChange{{ServiceID: 2, IntegrationID: 5, Summary: "v1.2", At: at, ReceivedAt: at}}
	if diff := cmp.Diff(want, h.changes); diff != "" {
		t.Error(diff)
	}
	h.recordErr = errors.New("disk full")
	if _, err := h.postLines("lines", "/lines", "", "change ledger v1.3 -"); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("a change that cannot be stored: %v", err)
	}
}

func TestTriggerWithoutKeyGetsRandomKey(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	answers, err := h.postLines("lines", "/lines", "", "trigger ledger  ", "trigger ledger  ")
	if err != nil {
		t.Fatal(err)
	}
	if answers[0].DedupKey == "" || answers[0].DedupKey == answers[1].DedupKey || h.submitted[0].Event.DedupKey != answers[0].DedupKey {
		t.Errorf("got %+v", answers)
	}
}

func TestNoServiceNamed(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	_, err := h.postLines("lines", "/lines", "", "trigger  a g")
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.KindInvalid || f.Fields[0].Path != "word 2" {
		t.Errorf("got %v", err)
	}
	h.contents.Integrations[4].ServiceID = new(int64(1))
	if answers, err := h.postLines("lines", "/lines", "", "trigger  a g"); err != nil || len(answers[0].Warnings) != 0 || h.submitted[0].ServiceID != 1 {
		t.Errorf("by a key of a service: %+v, %v", answers, err)
	}
}
