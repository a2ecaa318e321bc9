package api

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

func kindNamed(t *testing.T, name string) incident.ActKind {
	t.Helper()
	for _, k := range incident.ActKinds {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("there is no act %q", name)
	return incident.ActKind{}
}

func TestReadAct(t *testing.T) {
	t.Parallel()
	roster := &escalation.Roster{
		People: map[int64]escalation.Person{8: {Name: "Ben Adeyemi", Email: "ben@acme.example", Reachable: true}, 9: {Name: "Gus", Email: "gus@acme.example"}},
		Teams:  map[int64]escalation.Team{2: {Slug: "payments", Name: "Payments", Members: []int64{8}}},
	}
	ben := incident.NamedTarget{Target: incident.Target{User: 8}, Name: "Ben Adeyemi"}
	for _, test := range []struct {
		kind, body string
		want       incident.Act
		faults     string // each field with its message
	}{
		{kind: "acknowledge", want: incident.ActAcknowledge{}},
		{kind: "acknowledge", body: `{"why":1,"at":2}`, faults: "at: is not known here; why: is not known here"},
		{kind: "resolve", body: `{"resolution":"A","note":"B"}`, want: incident.ActResolve{FixedBy: "A"}},
		{kind: "resolve", body: `{"resolution":"","note":"B"}`, want: incident.ActResolve{FixedBy: "B"}},
		{kind: "resolve", body: `{"resolution":"A","note":7}`, faults: "note: must be text"},
		{kind: "notes", body: `{"note":null}`, want: incident.ActNote{}},
		{kind: "notes", body: `{"Note":"x"}`, faults: "Note: is not known here"},
		{kind: "notes", body: `{"note":"a\u0000"}`, faults: "note: must be text without NUL characters"},
		{kind: "priority", body: `{"priority":1,"reason":"All of it"}`, want: incident.ActSetPriority{Level: new(1), Reason: "All of it"}},
		{kind: "priority", body: `{"priority":null}`, want: incident.ActSetPriority{}},
		{kind: "priority", body: `{"reason":"All of it"}`, faults: "priority: is missing; null stands for none"},
		{kind: "priority", body: `{"x":1,"reason":7}`, faults: "reason: must be text; x: is not known here"},
		{kind: "priority", body: `{"priority":"1"}`, faults: "priority: must be a whole number or null"},
		{kind: "escalate", body: `{"reassign":true}`, want: incident.ActEscalate{Reassign: true}},
		{kind: "escalate", body: `{"reassign":"true"}`, faults: "reassign: must be true or false"},
		{kind: "responders", body: `{"users":["ben@acme.example"],"teams":["payments"],"message":"Please"}`, want: incident.ActRequest{
			Targets: []incident.NamedTarget{ben, {Target: incident.Target{Team: 2}, Name: "everyone in Payments"}}, Message: "Please"}},
		{kind: "responders", body: `{"users":"ben@acme.example","teams":["none"]}`, faults: `teams: There is no team "none".; users: must be a list`},
		{kind: "responders", body: `{"users":["gus@acme.example"]}`, faults: "users: Gus cannot be paged: no verified contact method."},
		{kind: "handover", body: `{"user":"ben@acme.example"}`, want: incident.ActHandOver{To: ben}},
		{kind: "handover", body: `{}`, faults: "user: Name the person who takes over."},
		{kind: "snooze", body: `{"for":"30m"}`, want: incident.ActSnooze{For: 30 * time.Minute}},
		{kind: "snooze", body: `{"until":"2026-11-24T09:00:00Z"}`, want: incident.ActSnooze{Until: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}},
		{kind: "snooze", body: `{"for":"30m","until":"2026-11-24T09:00:00Z"}`, faults: "until: Send either until or for."},
		{kind: "snooze", body: `{"for":"soon"}`, faults: "for: Write a length such as 30m or 4h."},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(test.body))
		r.Header.Set("Content-Type", "application/json")
		act, err := readAct(echo.New().NewContext(r, httptest.NewRecorder()), kindNamed(t, test.kind), roster, time.Time{})
		var faults []string
		var f *fault.Error
		if errors.As(err, &f) {
			for _, field := range f.Fields {
				faults = append(faults, fmt.Sprintf("%s: %s", field.Path, field.Message))
			}
		}
		if diff := cmp.Diff(test.want, act); diff != "" || strings.Join(faults, "; ") != test.faults || (err != nil) != (test.faults != "") {
			t.Errorf("%s %s: faults %q, %v (-want +got):\n%s", test.kind, test.body, faults, err, diff)
		}
	}
}

// A kind may return before it has read all its fields, and may read one twice.
func TestReadActGoesByDeclaredFields(t *testing.T) {
	t.Parallel()
	kind := incident.ActKind{Fields: []string{"note", "reason"}, Read: func(f incident.Fields) (incident.Act, error) {
		return incident.ActNote{Text: f.Text("note") + f.Text("note")}, nil
	}}
	for body, want := range map[string]int{`{"note":"a","reason":"b"}`: 0, `{"note":7}`: 1, `{"note":7,"x":1}`: 2} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		_, err := readAct(echo.New().NewContext(r, httptest.NewRecorder()), kind, nil, time.Time{})
		var f *fault.Error
		if errors.As(err, &f) && len(f.Fields) != want || (err != nil) != (want > 0) {
			t.Errorf("%s: %v, want faults of %d fields", body, err, want)
		}
	}
}
