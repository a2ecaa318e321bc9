package incident_test

import (
	"context"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// memory is a store of one incident.
type memory struct {
	incident incident.Incident
	known    incident.Known
	change   incident.Change // the last
}

func (m *memory) ChangeIncident(_ context.Context, _ int64, _ incident.By, decide func(incident.Incident, incident.Known) (incident.Change, error)) (incident.Incident, error) {
	c, err := decide(m.incident, m.known)
	m.change = c
	if err == nil && c.Changed {
		m.incident = c.Incident
	}
	return m.incident, err
}

// try carries out an act, and returns what it changed and what came of it.
func try(inc incident.Incident, by incident.By, act incident.Act, k incident.Known) (incident.Change, incident.Outcome, error) {
	m := &memory{incident: inc, known: k}
	now := by.At
	s := incident.Service{Store: m, Now: func() time.Time { return now }}
	by.At = time.Time{} // the service has a clock
	out, err := s.Do(context.Background(), incident.Command{Number: inc.Number, By: by, Act: act})
	return m.change, out, err
}

// do is try of what is done.
func do(t testing.TB, inc incident.Incident, by incident.By, act incident.Act, k incident.Known) incident.Change {
	t.Helper()
	c, out, err := try(inc, by, act, k)
	if err != nil || out.Kind != incident.Done || !c.Changed {
		t.Fatalf("%T: %+v, %v", act, out, err)
	}
	return c
}

// expiring has P1 to P3, whose acknowledgments expire.
func expiring(after time.Duration) incident.Known {
	k := incident.Known{Levels: levels(3), DeploymentKnown: true, Production: true}
	for i := range k.Levels {
		k.Levels[i].AckExpires = int64(after / time.Second)
	}
	return k
}

func levels(n int) []catalog.Priority {
	var list []catalog.Priority
	for level := 1; level <= n; level++ {
		list = append(list, catalog.Priority{Level: level})
	}
	return list
}

func triggered() incident.Incident {
	return incident.Incident{Number: 17, Status: incident.Triggered, Urgency: incident.High, CreatedAt: at(0), ChangedAt: at(0)}
}

// withPriority is of an incident at a level.
func withPriority(inc incident.Incident, level int) incident.Incident {
	inc.Priority = &level
	return inc
}

// acknowledged is by person 7 in minute 1.
func acknowledged(t testing.TB) incident.Incident {
	t.Helper()
	return do(t, triggered(), person(7, 1), incident.ActAcknowledge{}, incident.Known{}).Incident
}

// resolved is by person 7 in minute 1.
func resolved(t testing.TB) incident.Incident {
	t.Helper()
	return do(t, triggered(), person(7, 1), incident.ActResolve{FixedBy: " restarted "}, incident.Known{}).Incident
}
