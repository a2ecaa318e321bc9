package simulate_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

var update = flag.Bool("update", false, "write testdata/*.txt anew")

// TestText holds whole simulations against what is expected of them, as people
// read it.
func TestText(t *testing.T) {
	t.Parallel()
	office := []oncall.Window{{Days: []oncall.Weekday{oncall.Monday, oncall.Tuesday, oncall.Wednesday, oncall.Thursday, oncall.Friday}, From: 9 * 60, To: 17 * 60}}
	low := func(a *acme) {
		a.Payload = []byte(strings.Replace(breach, `"incident_priority": 2`, `"incident_priority": 3`, 1))
		a.supportHours = office
	}
	for name, change := range map[string]func(*acme){
		"nobody-answers": func(a *acme) { a.Span = 10 * time.Hour },
		"backup-acknowledges": func(a *acme) {
			a.answers(simulate.Answer{After: 9 * time.Hour, Person: ben, Kind: simulate.Resolve},
				simulate.Answer{After: 70 * time.Minute, Person: ben, Kind: simulate.Acknowledge},
				simulate.Answer{After: 80 * time.Minute, Person: ana, Kind: simulate.Acknowledge})
		},
		"urgent": func(a *acme) {
			a.Payload = []byte(strings.Replace(breach, `"incident_priority": 2`, `"incident_priority": "P1"`, 1))
			a.Works = func(notify.Medium) bool { return true }
			a.answers(simulate.Answer{After: 400 * time.Second, Person: ben, Kind: simulate.Acknowledge})
		},
		"low-urgency": func(a *acme) {
			low(a)
			a.answers(simulate.Answer{After: 15 * time.Hour, Person: ana, Kind: simulate.Acknowledge})
		},
		"low-urgency-at-closing-time": func(a *acme) {
			low(a)
			a.At = evening.Add(-3 * time.Hour)
			a.answers(simulate.Answer{After: 18 * time.Hour, Person: chiara, Kind: simulate.Acknowledge})
		},
		"held": func(a *acme) {
			a.schedule.Versions[0].RequiredCover, a.schedule.Versions[0].Layers[0].Restrictions = office, office
			a.policy.Steps[0].OutsideCover = escalation.Hold
			a.At = time.Date(2026, 11, 27, 18, 0, 0, 0, time.UTC)
			a.answers(simulate.Answer{After: 64 * time.Hour, Person: ben, Kind: simulate.Acknowledge})
		},
		"unreached": func(a *acme) {
			r := a.Recipients[ben]
			r.Methods = nil
			a.Recipients[ben] = r
			a.policy.Steps[0].Targets = []escalation.Target{{Team: 1}}
			a.Span = time.Minute
		},
		"late-rule": func(a *acme) {
			a.policy.Steps[0] = escalation.Step{Timeout: 300, Targets: []escalation.Target{{User: ana}}}
			a.Works = func(notify.Medium) bool { return true }
			a.Span = 6 * time.Minute
		},
		"handover-in-summer-time": func(a *acme) {
			a.At = time.Date(2026, 3, 30, 6, 30, 0, 0, time.UTC)
			a.contents.PolicyVersions[0].Effective = time.Time{}
			a.schedule.Overrides = []oncall.Override{{ID: 7, From: a.At.Add(45 * time.Minute), To: a.At.Add(2 * time.Hour), Position: "main", Kind: oncall.Add, In: 2}}
			a.Span = 90 * time.Minute
		},
		"acknowledgment-expires": func(a *acme) {
			a.contents.Priorities[1].AckExpires = 1800
			a.answers(simulate.Answer{After: time.Minute, Person: ana, Kind: simulate.Acknowledge})
			a.Span = 40 * time.Minute
		},
		"no-policy": func(a *acme) {
			a.contents.Services[0].PolicyID = nil
			a.Span = 2 * time.Hour
		},
		"no-policy-for-days": func(a *acme) {
			a.contents.Services[0].PolicyID = nil
			a.Span = 72 * time.Hour
		},
		"no-policy-until-noon": func(a *acme) {
			a.contents.Services[0].PolicyID = nil
			a.answers(simulate.Answer{After: 17*time.Hour + 25*time.Minute, Person: admin, Kind: simulate.Acknowledge})
		},
		"nobody-at-all": func(a *acme) {
			a.Works = func(notify.Medium) bool { return false }
			a.Span = 90 * time.Minute
		},
		"shadow": func(a *acme) {
			a.schedule.Versions[0].Shadows = []oncall.Shadow{{Person: oncall.Person(chiara), Position: "main"}}
			a.answers(simulate.Answer{After: time.Minute, Person: chiara, Kind: simulate.Acknowledge},
				simulate.Answer{After: 2 * time.Minute, Person: ana, Kind: simulate.Resolve})
		},
		"recovered": func(a *acme) {
			a.Payload = []byte(strings.Replace(breach, "breached", "recovered", 1))
			a.answers(simulate.Answer{Person: ana, Kind: simulate.Acknowledge})
		},
		"warnings": func(a *acme) {
			a.Payload = []byte(strings.NewReplacer(`"prod-eu"`, `"moon"`, `"incident_priority": 2`, `"incident_priority": 7`).Replace(breach))
			a.Span = time.Minute
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAcme()
			change(a)
			madrid, err := time.LoadLocation("Europe/Madrid")
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := simulate.Text(&got, a.run(t), madrid, nameOf); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestTextReturnsWriteError(t *testing.T) {
	t.Parallel()
	if err := simulate.Text(fullDisk{}, newAcme().run(t), time.UTC, nameOf); !errors.Is(err, errFull) {
		t.Errorf("the error is %v", err)
	}
}
