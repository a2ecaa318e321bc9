package server_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

// people are those of every story: Ana with rules, Ben with a telephone alone,
// Chiara with a rule for what is not configured, Fred with nothing at all.
const people = `
version: 1
organization: {name: Acme, timezone: Europe/Madrid}
users:
  - {email: ana@acme.example, name: Ana Ortiz, role: responder,
     contacts: [{id: sms, type: sms, value: "+34600000001", verified: true}, {id: mail, type: email, value: ana@acme.example, verified: true}],
     rules: [{urgency: high, after: 0s, contact: sms}, {urgency: high, after: 5m, contact: mail}, {urgency: low, after: 0s, contact: mail}]}
  - {email: ben@acme.example, name: Ben Adeyemi, role: responder,
     contacts: [{id: sms, type: sms, value: "+447700900002", verified: true}]}
  - {email: chiara@acme.example, name: Chiara Conti, role: responder,
     contacts: [{id: call, type: voice, value: "+12025550103", verified: true}, {id: mail, type: email, value: chiara@acme.example, verified: true},
                {id: sms, type: sms, value: "+12025550103", verified: true}],
     rules: [{urgency: high, after: 1m, contact: call}, {urgency: high, after: 3m, contact: sms}]}
  - {email: dana@acme.example, name: Dana Levi, role: manager, contacts: [{id: sms, type: sms, value: "+4915100000004", verified: true}]}
  - {email: eve@acme.example, name: Eve Novak, role: administrator,
     contacts: [{id: sms, type: sms, value: "+4915100000005", verified: true}, {id: mail, type: email, value: eve@acme.example, verified: true}]}
  - {email: fred@acme.example, name: Fred Young, role: responder}
teams:
  - {slug: payments, name: Payments, manager: dana@acme.example, members: [ana@acme.example, ben@acme.example, chiara@acme.example]}
deployments:
  - {slug: prod-eu, name: Production Europe, kind: production}
priorities:
  - {level: 1, name: P1}
  - {level: 2, name: P2}
  - {level: 3, name: P3}
schedules:
  - slug: payments
    name: Payments
    team: payments
    timezone: Europe/Madrid
    positions: [main, backup]
    layers:
      - {name: weekly, start: "2026-01-05 09:00", rotate: {every: 1, unit: week}, members: [ana@acme.example, ben@acme.example, chiara@acme.example]}
services:
  - {slug: checkout-api, name: Checkout API, team: payments, deployments: [prod-eu]}
integrations:
  - {slug: sre, name: SRE infrastructure, kind: slo, service: checkout-api, key: checkoutapi000000000000000000000}
`

// policy is a configuration in which Checkout API has a policy.
func policy(text string) string {
	return "version: 1\nescalation_policies:\n  - slug: payments\n    name: Payments\n" + text +
		"services: [{slug: checkout-api, escalation_policy: payments}]\n"
}

// said is what somebody does so long after the breach.
type said struct {
	after time.Duration
	who   string
	kind  simulate.AnswerKind
}

// foreseen is an organisation, a breach and what people do.
type foreseen struct {
	name     string
	config   string
	start    time.Time // the harness's where it is zero
	priority int       // 0 for none
	answers  []said
	span     time.Duration
	// least is how many messages there must be for the story to tell something.
	least int
}

const ack, resolve = simulate.Acknowledge, simulate.Resolve

// Ben is main and Chiara backup in the week of harness.Start.
var foreseeable = []foreseen{
	{name: "timeouts by priority, repeats, the fallback and on", priority: 1, span: 4 * time.Hour, least: 40, config: policy(`
    repeat: 2
    fallback: [{user: dana@acme.example}]
    steps:
      - {timeout: 60m, timeout_for: {P1: 5m}, targets: [{schedule: payments, position: main}]}
      - {timeout: 12m, targets: [{schedule: payments, position: backup}]}
      - {timeout: 25m, targets: [{team: payments}, {team: payments, role: manager}]}
`)},
	{name: "steps that find nobody", priority: 2, span: 3 * time.Hour, least: 15, config: policy(`
    repeat: 1
    fallback: [{user: fred@acme.example}]
    steps:
      - {timeout: 10m, targets: [{user: fred@acme.example}]}
      - {timeout: 20m, targets: [{user: ana@acme.example}]}
      - {timeout: 10m, targets: [{user: fred@acme.example}]}
`)},
	{name: "nobody in the policy at all", span: 150 * time.Minute, least: 10, config: policy(`
    repeat: 3
    steps: [{timeout: 10m, targets: [{user: fred@acme.example}]}]
`)},
	{name: "no policy", span: 150 * time.Minute, least: 10, config: "version: 1\n"},
	{name: "a handover inside a step, and a second one by an override", start: time.Date(2026, 11, 30, 7, 45, 0, 0, time.UTC), priority: 2, span: 3 * time.Hour,
		least: 15, answers: []said{{100*time.Minute + time.Second, "ana", ack}}, config: policy(`
    repeat: 0
    steps:
      - {timeout: 60m, targets: [{schedule: payments, position: main}]}
      - {timeout: 60m, targets: [{schedule: payments, position: backup}]}
schedules:
  - slug: payments
    overrides: [{from: "2026-11-30 09:20", to: "2026-11-30 12:00", position: main, replace: chiara@acme.example, with: dana@acme.example}]
`)},
	{name: "personal rules, until somebody answers", start: time.Date(2026, 12, 7, 9, 0, 0, 0, time.UTC), priority: 2, span: 2 * time.Hour,
		least: 4, answers: []said{{27*time.Minute + 3*time.Second, "ana", ack}, {50 * time.Minute, "ben", ack}, {55 * time.Minute, "ben", resolve}}, config: policy(`
    repeat: 0
    steps: [{timeout: 60m, targets: [{schedule: payments, position: main}]}]
`)},
	{name: "low urgency waits for the morning, and is a digest", start: time.Date(2026, 11, 23, 19, 7, 0, 0, time.UTC), priority: 3, span: 16 * time.Hour,
		least: 8, config: policy(`
    repeat: 0
    fallback: [{user: dana@acme.example}]
    steps:
      - {timeout: 30m, targets: [{team: payments}]}
      - {timeout: 30m, targets: [{role: manager}]}
organization: {support_hours: {days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}}
`)},
	{name: "an acknowledgment expires, is renewed, and expires again", priority: 1, span: 2 * time.Hour, least: 6,
		answers: []said{{90 * time.Second, "ben", ack}, {32 * time.Minute, "ben", ack}}, config: policy(`
    repeat: 0
    steps:
      - {timeout: 20m, targets: [{schedule: payments, position: main}]}
      - {timeout: 20m, targets: [{schedule: payments, position: backup}]}
priorities: [{level: 1, name: P1, ack_expires: 30m}]
`)},
	{name: "a shadow answers twice, which stops nothing", priority: 2, span: time.Hour, least: 8,
		answers: []said{{time.Minute, "dana", ack}, {2 * time.Minute, "dana", ack}, {25*time.Minute + time.Second, "chiara", ack}}, config: policy(`
    repeat: 0
    steps:
      - {timeout: 15m, targets: [{schedule: payments, position: main}]}
      - {timeout: 60m, targets: [{team: payments}]}
schedules:
  - {slug: payments, shadows: [{user: dana@acme.example, position: main}]}
`)},
	{name: "many pages gather", priority: 2, span: 20 * time.Minute, least: 6, config: policy(`
    repeat: 20
    fallback: [{user: ben@acme.example}]
    steps:
      - {timeout: 20s, targets: [{user: ben@acme.example}]}
      - {timeout: 15s, targets: [{team: payments}]}
`)},
	{name: "what gathered and was withdrawn counts for nothing", priority: 2, span: 15 * time.Minute, least: 5,
		answers: []said{{2500 * time.Millisecond, "ben", ack}, {100 * time.Second, "ben", ack}, {200 * time.Second, "ben", ack}, {300 * time.Second, "ben", ack}}, config: policy(`
    repeat: 9
    steps: [{timeout: 1s, targets: [{user: ben@acme.example}]}]
priorities: [{level: 2, name: P2, ack_expires: 1m}]
`)},
}

// Each breach is simulated and posted to a server; every step and every message must be
// the same.
func TestSimulatorMatchesServer(t *testing.T) {
	t.Parallel()
	for _, f := range foreseeable {
		t.Run(f.name, func(t *testing.T) {
			harness.ForEach(t, "", func(t *testing.T, h *harness.Harness) {
				h.ApplyText("people.yaml", people)
				h.ApplyText("policy.yaml", f.config)
				if !f.start.IsZero() {
					h.AdvanceTo(f.start)
				}
				w := witness{t: t, h: h, began: h.Now()}
				timeline := w.foresee(f)
				number := w.happen(f)
				w.compare("what happened", w.foreseenSteps(timeline), w.steps(number))
				messages := w.foreseenMessages(timeline)
				w.compare("who was told", messages, w.messages(number))
				w.arrived(messages)
				if len(messages) < f.least {
					t.Errorf("only %d messages were sent", len(messages))
				}
			})
		})
	}
}

type witness struct {
	t     *testing.T
	h     *harness.Harness
	began time.Time
}

func (w witness) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w witness) compare(what string, want, got []string) {
	w.t.Helper()
	slices.Sort(want)
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s (-foreseen +real):\n%s", what, diff)
	}
}

func (f foreseen) breach() []byte {
	b := map[string]any{"service": "checkout-api", "deployment": "prod-eu", "sli": "availability", "slo": map[string]any{"name": "Availability"}}
	if f.priority != 0 {
		b["incident_priority"] = f.priority
	}
	body, err := json.Marshal(b)
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	return body
}

func (w witness) user(name string) int64 {
	w.t.Helper()
	u, err := w.h.Server.DB.Access.UserByEmail(w.t.Context(), name+"@acme.example")
	w.must(err)
	return u.ID
}

// foresee simulates the story before it happens.
func (w witness) foresee(f foreseen) simulate.Timeline {
	w.t.Helper()
	ctx, db := w.t.Context(), w.h.Server.DB
	works := func(m notify.Medium) bool { return m != notify.Voice }
	view, err := db.Organization.View(ctx, works)
	w.must(err)
	sre, err := view.IntegrationBySlug("sre")
	w.must(err)
	in := simulate.Input{Works: works, Format: &slo.Format, Payload: f.breach(), At: w.began, Span: f.span, Policy: view.PolicyVersion,
		Integration: sre.Integration, Snapshot: view.Catalog(), Roster: view.Roster(), Recipients: view.Recipients()}
	for _, a := range f.answers {
		in.Answers = append(in.Answers, simulate.Answer{After: a.after, Person: w.user(a.who), Kind: a.kind})
	}
	timeline, err := simulate.Run(ctx, in)
	w.must(err)
	return timeline
}

// happen posts the signal to the server.
func (w witness) happen(f foreseen) int64 {
	w.t.Helper()
	status, answer := w.h.Post("/webhooks/slo/"+harness.Key("checkout-api"), "application/json", f.breach())
	if status != http.StatusAccepted {
		w.t.Fatalf("the breach was answered %d: %s", status, answer)
	}
	w.h.WaitIdle()
	for _, a := range f.answers {
		w.h.AdvanceTo(w.began.Add(a.after))
		id := w.user(a.who)
		by := incident.By{Actor: a.who + "@acme.example", UserID: &id, Via: "web"}
		var act incident.Act = incident.ActAcknowledge{}
		if a.kind == resolve {
			act = incident.ActResolve{}
		}
		out, err := w.h.Server.Incidents.Do(w.t.Context(), incident.Command{Number: 1, By: by, Act: act})
		w.must(err)
		w.must(out.Err())
		w.h.WaitIdle()
	}
	w.h.AdvanceTo(w.began.Add(f.span))
	return 1
}

func (w witness) since(at time.Time) string { return fmt.Sprintf("%08.1fs", at.Sub(w.began).Seconds()) }

// foreseenSteps are the lines of a simulation but for messages and answers that
// change nothing.
func (w witness) foreseenSteps(timeline simulate.Timeline) []string {
	var lines []string
	for _, e := range timeline.Entries {
		if e.Kind == simulate.Told || e.Kind == simulate.Unchanged {
			continue
		}
		line := fmt.Sprintf("%s %s %d", w.since(e.At), e.Kind, e.Person)
		if p := e.Place; p != nil && !p.FailedToSend {
			phase := string(p.Phase)
			if p.Phase == escalation.PhaseSteps {
				phase = ""
			}
			line += fmt.Sprintf(" %q %q step %d run %d %q %v", p.Policy, phase, p.Step, p.Run, p.Targets, p.People)
		}
		if !e.Until.IsZero() {
			line += " until " + e.Until.Format(time.RFC3339)
		}
		lines = append(lines, line)
	}
	return lines
}

// steps are the lines of the incident's own timeline, in the same words.
func (w witness) steps(number int64) []string {
	w.t.Helper()
	events, err := w.h.Server.DB.Incidents.Timeline(w.t.Context(), number, 0, 0)
	w.must(err)
	var lines []string
	for _, e := range events {
		person := int64(0)
		if name, ok := strings.CutSuffix(e.Actor, "@acme.example"); ok {
			person = w.user(name)
		}
		place := ""
		if d, ok := incident.PlaceOf(e.Payload); ok {
			place = fmt.Sprintf(" %q %q step %d run %d %q %v", d.Policy, d.Phase, d.Step, d.Run, d.Targets, d.People)
		}
		switch p := e.Payload.(type) {
		case incident.StillOnItPayload:
			person = p.People[0]
		case incident.AckExpiredPayload:
			person = p.People[0]
		case incident.WaitingPayload:
			place = " until " + p.Until.Format(time.RFC3339)
		}
		lines = append(lines, fmt.Sprintf("%s %s %d%s", w.since(e.At), e.Kind(), person, place))
	}
	return lines
}

// foreseenMessages are a line a message, repeats one by one.
func (w witness) foreseenMessages(timeline simulate.Timeline) []string {
	w.t.Helper()
	var lines []string
	for _, e := range timeline.Entries {
		m := e.Message
		if m == nil {
			continue
		}
		for i := range m.Times {
			at := e.At.Add(time.Duration(i) * notify.RepeatEvery)
			lines = append(lines, w.message(at, e.Person, m.Medium, notify.Masked(m.Medium, m.Address), m.Why))
		}
		if last := e.At.Add(time.Duration(m.Times-1) * notify.RepeatEvery); !last.Equal(m.Last) {
			w.t.Errorf("%d messages from %s on end at %s", m.Times, w.since(e.At), w.since(m.Last))
		}
	}
	return lines
}

func (w witness) message(at time.Time, person int64, medium notify.Medium, contact string, why escalation.Why) string {
	w.t.Helper()
	words, err := json.Marshal(why)
	w.must(err)
	return fmt.Sprintf("%s %d %s %s %s", w.since(at), person, medium, contact, words)
}

// messages are those that really left, each told by the last of its pages.
func (w witness) messages(number int64) []string {
	w.t.Helper()
	records, err := w.h.Server.DB.Paging.IncidentPages(w.t.Context(), number)
	w.must(err)
	slices.SortStableFunc(records, func(a, b incident.PageRecord) int {
		return cmp.Or(cmp.Compare(a.MessageID, b.MessageID), cmp.Compare(a.PageID, b.PageID))
	})
	var lines []string
	for i, r := range records {
		if r.Number == 0 || i+1 < len(records) && records[i+1].MessageID == r.MessageID {
			continue
		}
		var why escalation.Why
		w.must(json.Unmarshal(r.Why, &why))
		lines = append(lines, w.message(*r.StartedAt, r.UserID, notify.Medium(r.Medium), r.Contact, why))
	}
	return lines
}

// arrived counts what reached the providers.
func (w witness) arrived(foreseen []string) {
	w.t.Helper()
	want := map[notify.Medium]int{}
	for _, line := range foreseen {
		want[notify.Medium(strings.Fields(line)[2])]++
	}
	got := map[notify.Medium]int{notify.SMS: len(w.h.Twilio.Messages()), notify.Email: len(w.h.Mail.Messages())}
	for medium, n := range got {
		if n != want[medium] {
			w.t.Errorf("%d messages left by %s, %d were foreseen", n, medium, want[medium])
		}
	}
}
