package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
	"github.com/tocsin-oncall/tocsin/app/server"
)

// story makes breaches and the reactions of people. Its random numbers have a fixed
// seed, so it is the same each time.
type story struct {
	agenda
	server *server.Server
	clock  *clock
	dice   *rand.Rand
	key    string // of the integration that takes the service from the body
}

func newStory(ctx context.Context, s *server.Server, c *clock) (*story, error) {
	state, err := s.DB.Organization.Editor(s.Keys).State(ctx)
	if err != nil {
		return nil, err
	}
	tale := &story{server: s, clock: c, dice: rand.New(rand.NewPCG(20, 26))} //nolint:gosec // no secrets, and a fixed seed on purpose
	for _, i := range state.Integrations {
		if i.Slug == "slo-monitoring" {
			tale.key = i.Key
		}
	}
	return tale, nil
}

// chance is true with probability p.
func (t *story) chance(p float64) bool { return t.dice.Float64() < p }

// between is a random duration in a range, shorter ones more often.
func (t *story) between(shortest, longest time.Duration) time.Duration {
	x := t.dice.Float64()
	return shortest + time.Duration(x*x*float64(longest-shortest)).Truncate(time.Second)
}

func pick[T any](t *story, from []T) T { return from[t.dice.IntN(len(from))] }

// later adds an event after d.
func (t *story) later(d time.Duration, do func(context.Context) error) {
	t.add(t.clock.Now().Add(d), do)
}

// trouble is one breach, from its first signal to its recovery.
type trouble struct {
	weakness
	deployment string
	observed   float64
	depleted   float64
	number     int64
	// open says that it neither recovers nor is resolved.
	open bool
}

// someTrouble picks a random weakness and a random measurement.
func (t *story) someTrouble() *trouble {
	total := 0
	for _, w := range weaknesses {
		total += w.often
	}
	roll := t.dice.IntN(total)
	for _, w := range weaknesses {
		if roll -= w.often; roll < 0 {
			return t.troubleWith(w)
		}
	}
	return t.troubleWith(weaknesses[0])
}

func (t *story) troubleWith(w weakness) *trouble {
	return &trouble{weakness: w, deployment: pick(t, w.deployments),
		observed: w.low + t.dice.Float64()*(w.high-w.low), depleted: 1 + t.dice.Float64()*14}
}

// troubleOf is a breach of a service's SLO, given by a prefix of its name.
func (t *story) troubleOf(service, slo string) *trouble {
	for _, w := range weaknesses {
		if w.service == service && w.slo == slo {
			return t.troubleWith(w)
		}
	}
	panic("demo: no such weakness: " + service + ", " + slo)
}

// signal posts the state of a trouble, as the tooling does.
func (t *story) signal(ctx context.Context, x *trouble, status string) error {
	answers, err := t.server.Ingest.Accept(ctx, ingest.Request{
		Endpoint: slo.Path, Key: t.key, ContentType: "application/json", Remote: "198.51.100.7",
		Body: x.breach(status, x.deployment, x.observed, x.depleted, t.clock.Now()),
	})
	if err != nil {
		return fmt.Errorf("post a breach of %s: %w", x.service, err)
	}
	if ref := answers[0].Incident; ref != nil {
		x.number = ref.Number
	}
	return nil
}

// nonsense posts an invalid body, which is listed for replay.
func (t *story) nonsense(at time.Time, body string) {
	t.add(at, func(ctx context.Context) error {
		_, err := t.server.Ingest.Accept(ctx, ingest.Request{Endpoint: slo.Path, Key: t.key, ContentType: "application/json", Body: []byte(body), Remote: "198.51.100.7"})
		if f, ok := errors.AsType[*fault.Error](err); ok && (f.Kind == fault.KindInvalid || f.Kind == fault.KindMalformed) {
			return nil
		}
		return fmt.Errorf("post an invalid body: %w", err)
	})
}

// begin starts a trouble, and plans the reaction to it.
func (t *story) begin(at time.Time, x *trouble) {
	t.add(at, func(ctx context.Context) error {
		if err := t.signal(ctx, x, "breached"); err != nil {
			return err
		}
		t.later(t.reaction(), func(ctx context.Context) error { return t.react(ctx, x) })
		for range t.dice.IntN(4) {
			t.later(t.between(2*time.Minute, 40*time.Minute), func(ctx context.Context) error { return t.worse(ctx, x) })
		}
		return nil
	})
}

// reaction is a random time until somebody looks at their phone.
func (t *story) reaction() time.Duration {
	if t.chance(0.13) { // does not notice the first page
		return t.between(17*time.Minute, 70*time.Minute)
	}
	return t.between(25*time.Second, 7*time.Minute)
}

// worse repeats the signal of a trouble with a worse measurement.
func (t *story) worse(ctx context.Context, x *trouble) error {
	row, err := t.server.DB.Incidents.Incident(ctx, x.number)
	if err != nil || row.Status == incident.Resolved {
		return err
	}
	x.depleted += t.dice.Float64() * 3
	return t.signal(ctx, x, "breached")
}

// react acknowledges as somebody who was paged; where nobody was yet, it is tried again
// later.
func (t *story) react(ctx context.Context, x *trouble) error {
	row, err := t.server.DB.Incidents.Incident(ctx, x.number)
	if err != nil || row.Status != incident.Triggered {
		return err
	}
	by, ok, err := t.paged(ctx, x.number)
	if err != nil {
		return err
	}
	if !ok {
		t.later(10*time.Minute, func(ctx context.Context) error { return t.react(ctx, x) })
		return nil
	}
	if err := t.do(ctx, x, by, incident.ActAcknowledge{}); err != nil {
		return err
	}
	t.work(x, by)
	return nil
}

// paged is the person who was reached last and has not acknowledged.
func (t *story) paged(ctx context.Context, number int64) (by incident.By, ok bool, err error) {
	pages, err := t.server.DB.Paging.IncidentPages(ctx, number)
	if err != nil {
		return by, false, err
	}
	for _, p := range pages {
		if p.Shadow || p.PageState != "active" || p.State != incident.AttemptDelivered {
			continue
		}
		via := pick(t, []string{"web", "web", "link"})
		if p.Medium == "sms" {
			via = pick(t, []string{"sms", "sms", "link", "web"})
		}
		by, ok = incident.By{Actor: p.UserEmail, UserID: &p.UserID, Via: via}, true
	}
	return by, ok, nil
}

// work plans what people do with an incident that they have acknowledged.
func (t *story) work(x *trouble, by incident.By) {
	by.Via = "web"
	after := time.Duration(0)
	if t.chance(0.7) {
		after += t.between(4*time.Minute, 25*time.Minute)
		text := pick(t, x.notes)
		t.later(after, func(ctx context.Context) error { return t.do(ctx, x, by, incident.ActNote{Text: text}) })
	}
	if t.chance(0.12) {
		after += t.between(2*time.Minute, 10*time.Minute)
		t.later(after, func(ctx context.Context) error {
			level := 2
			return t.do(ctx, x, by, incident.ActSetPriority{Level: &level, Reason: "Customers are slowed down; nobody is locked out."})
		})
	}
	if x.open {
		return
	}
	after += t.between(8*time.Minute, 150*time.Minute)
	byHand := t.chance(0.4)
	t.later(after, func(ctx context.Context) error {
		if byHand {
			return t.do(ctx, x, by, incident.ActResolve{FixedBy: pick(t, x.remedies)})
		}
		return t.recover(ctx, x)
	})
}

// recover ends a trouble; some recur.
func (t *story) recover(ctx context.Context, x *trouble) error {
	if err := t.signal(ctx, x, "recovered"); err != nil {
		return err
	}
	if t.chance(0.1) {
		t.begin(t.clock.Now().Add(t.between(time.Minute, 4*time.Minute)), x)
	}
	return nil
}

// do carries out an action of a person, and ignores a conflict with the action of
// another.
func (t *story) do(ctx context.Context, x *trouble, by incident.By, act incident.Act) error {
	_, err := t.server.Incidents.Do(ctx, incident.Command{Number: x.number, By: by, Act: act})
	return err
}

// garbled is a body with a field of the wrong type.
func garbled(service string) string {
	text, _ := json.Marshal(map[string]any{"service": service, "sli": "availability", "slo": "Availability of placing an order", "observed": 97.2})
	return string(text)
}
