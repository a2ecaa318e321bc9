package incident_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// TestStoredPayloads has what is stored of each kind: it must be read, and written
// in the same way, by every version to come.
func TestStoredPayloads(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 11, 23, 18, 30, 0, 0, time.UTC)
	place := incident.PolicyPlace{Policy: "Payments", PolicySlug: "payments", Step: 2, Run: 1, Targets: []string{"main on call in Payments"}, People: []int64{7}}
	fallback := incident.PolicyPlace{Policy: "Payments", PolicySlug: "payments", Run: 2, Phase: "fallback", Targets: []string{"Dana Levi"}}
	seen := map[incident.EventKind]bool{}
	for _, test := range []struct {
		stored string
		want   incident.Payload
	}{
		{`{"warnings":["w"],"sender":"SRE"}`, incident.ReceivedPayload{Sender: "SRE", Warnings: []string{"w"}}},
		{`{"count":4,"sender":"SRE"}`, incident.RepeatedPayload{Sender: "SRE", Occurrences: 4}},
		{`{"from":"P3","to":"P1","sender":"SRE"}`, incident.RaisedPayload{From: "P3", To: "P1", Sender: "SRE"}},
		{`{"text":"Disk full","to":"critical","sender":"SRE","warnings":["w"]}`,
			incident.JoinedPayload{Alert: "Disk full", Severity: "critical", Sender: "SRE", Warnings: []string{"w"}}},
		{`{"from":"warning","to":"critical","sender":"SRE"}`, incident.WorsePayload{From: "warning", To: "critical", Sender: "SRE"}},
		{`{"sender":"SRE"}`, incident.RecoveredPayload{Sender: "SRE"}},
		{`{"until":"2026-11-23T18:30:00Z","warnings":["w"],"sender":"SRE"}`, incident.ReopenedPayload{Sender: "SRE", Warnings: []string{"w"}, Until: until}},
		{`{"via":"web"}`, incident.ReopenedPayload{Via: "web"}},
		{`{"until":"2026-11-23T18:30:00Z","count":3}`, incident.FlappingPayload{Reopens: 3, Until: until}},
		{`{"until":"2026-11-23T18:30:00Z"}`, incident.StillFiringPayload{Since: until}},
		{`{"until":"2026-11-23T18:30:00Z","to":"fallback","via":"payments","policy":"Payments","run":2,"targets":["Dana Levi"]}`, incident.HeldPayload{PolicyPlace: fallback, Until: until}},
		{`{"count":1}`, incident.QuietPeriodOverPayload{Firing: 1}},
		{`{"via":"payments","policy":"Payments","step":2,"run":1,"people":[7],"targets":["main on call in Payments"]}`, incident.StepPayload{PolicyPlace: place}},
		{`{"to":"fallback","via":"payments","policy":"Payments","run":2,"targets":["Dana Levi"]}`, incident.PassedOverPayload{PolicyPlace: fallback}},
		{`{"text":"Every attempt to reach somebody failed."}`, incident.PassedOverPayload{Reason: "Every attempt to reach somebody failed."}},
		{`{"via":"payments","policy":"Payments","step":2,"run":1,"people":[7],"targets":["main on call in Payments"]}`, incident.HandoverPayload{PolicyPlace: place}},
		{`{"to":"fallback","via":"payments","policy":"Payments","run":2,"targets":["Dana Levi"]}`, incident.ExhaustedPayload{PolicyPlace: fallback}},
		{`{"until":"2026-11-23T18:30:00Z"}`, incident.WaitingPayload{Until: until}},
		{`{"via":"sms"}`, incident.AcknowledgedPayload{Via: "sms"}},
		{`{"via":"link"}`, incident.ShadowAckPayload{Via: "link"}},
		{`{"via":"api"}`, incident.UnacknowledgedPayload{Via: "api"}},
		{`{"people":[7]}`, incident.StillOnItPayload{People: []int64{7}}},
		{`{"people":[7]}`, incident.AckExpiredPayload{People: []int64{7}}},
		{`{}`, incident.AckExpiredPayload{}},
		{`{"text":"restarted","via":"web","held":{"asked_at":"2026-11-23T18:30:00Z"}}`,
			incident.ResolvedPayload{Via: "web", Resolution: "restarted", Ended: &incident.Ended{AskedAt: &until}}},
		{`{}`, incident.ResolvedPayload{}},
		{`{"to":"triggered","via":"web"}`, incident.ResolveUndonePayload{Via: "web", Status: incident.Triggered}},
		{`{"via":"sms"}`, incident.EscalatedPayload{Via: "sms"}},
		{`{"text":"everybody","from":"P3","to":"P1","via":"web"}`, incident.PriorityPayload{Via: "web", Reason: "everybody", From: "P3", To: "P1"}},
		{`{"text":"look","via":"web"}`, incident.NotePayload{Via: "web", Text: "look"}},
		{`{"text":"no such channel","to":"#payments"}`, incident.ChannelFailedPayload{Address: "#payments", Reason: "no such channel"}},
		{`{"text":"Ana was paged and has been deactivated","people":[7]}`, incident.LeftPayload{Text: "Ana was paged and has been deactivated", People: []int64{7}}},
		{`{"text":"disk full"}`, incident.TroublePayload{Text: "disk full"}},
		{`{"via":"web","again":true,"held":{"muted_until":"2026-11-23T18:30:00Z"}}`,
			incident.AcknowledgedPayload{Via: "web", Again: true, Ended: &incident.Ended{MutedUntil: &until}}},
		{`{"via":"web","from":"acknowledged","people":[7]}`, incident.EscalatedPayload{Via: "web", From: incident.Acknowledged, Owner: []int64{7}}},
		{`{"via":"web","joining":true,"step":2}`, incident.EscalatedPayload{Via: "web", Joining: true, Step: 2}},
		{`{"via":"web","to":"handover","targets":["Ben Adeyemi"],"text":"shift ends"}`,
			incident.RequestedPayload{Via: "web", For: incident.AskToTakeOver, Targets: []string{"Ben Adeyemi"}, Message: "shift ends"}},
		{`{"targets":["main on call in Payments"],"people":[7],"run":2}`, incident.AskedPayload{Targets: []string{"main on call in Payments"}, People: []int64{7}, Run: 2}},
		{`{"via":"sms"}`, incident.ResponderJoinedPayload{Via: "sms"}},
		{`{"via":"sms","text":"ill"}`, incident.DeclinedPayload{Via: "sms", Reason: "ill"}},
		{`{"to":"unanswered","targets":["Ben Adeyemi"],"people":[7]}`,
			incident.RequestEndedPayload{Outcome: incident.RequestUnanswered, Targets: []string{"Ben Adeyemi"}, Asker: []int64{7}}},
		{`{"via":"web","people":[7],"accepted":true}`, incident.TakenOverPayload{Via: "web", From: []int64{7}, Accepted: true}},
		{`{"via":"web","until":"2026-11-23T18:30:00Z"}`, incident.SnoozedPayload{Via: "web", Until: until}},
		{`{"early":true,"people":[7]}`, incident.SnoozeOverPayload{Early: true, People: []int64{7}}},
		{`{"via":"web"}`, incident.AcknowledgeUndonePayload{Via: "web"}},
	} {
		kind := test.want.Kind()
		seen[kind] = true
		if diff := cmp.Diff(test.want, incident.DecodePayload(kind, []byte(test.stored))); diff != "" {
			t.Errorf("%s is read as (-want +got):\n%s", kind, diff)
		}
		if diff := cmp.Diff(asMap(t, test.stored), asMap(t, incident.EncodePayload(test.want))); diff != "" {
			t.Errorf("%s is written as (-want +got):\n%s", kind, diff)
		}
	}
	for _, kind := range kinds(t) {
		if !seen[kind] {
			t.Errorf("kind %q has no payload here", kind)
		}
	}
}

func TestUnknownPayload(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, kind, data, encoded string
	}{
		{"a newer version's kind", "snoozed", `{"until":"tomorrow"}`, `{"until":"tomorrow"}`},
		{"a field of another type", "note", `{"text":7}`, `{"text":7}`},
		{"no JSON", "note", `{"text`, `{}`},
	} {
		p := incident.DecodePayload(incident.EventKind(test.kind), []byte(test.data))
		if _, unknown := p.(incident.Unknown); !unknown || p.Kind() != incident.EventKind(test.kind) {
			t.Errorf("%s: %#v", test.name, p)
		}
		if got := incident.EncodePayload(p); got != test.encoded {
			t.Errorf("%s: encoded as %s", test.name, got)
		}
	}
	want := incident.NotePayload{Text: "look"}
	if got := incident.DecodePayload(incident.EvNote, []byte(`{"text":"look","pinned":true}`)); got != want {
		t.Errorf("a newer version's field: %#v", got)
	}
}

func asMap(t *testing.T, text string) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// kinds are the constants of type EventKind.
func kinds(t *testing.T) []incident.EventKind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "timeline.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []incident.EventKind
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 && strings.HasPrefix(v.Names[0].Name, "Ev") {
			kind, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, incident.EventKind(kind))
		}
		return true
	})
	if len(all) == 0 {
		t.Fatal("no kinds found")
	}
	return all
}
