// Package notice tells people of what others did to what they own or asked for: that
// somebody took an incident over, and that nobody accepted a request. It follows the
// timeline.
package notice

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Name is the consumer's.
const Name = "notice"

// Store keeps which notices people got.
type Store interface {
	// SendNotice queues a notice of an event, unless the person got one of it before.
	SendNotice(ctx context.Context, event int64, to notify.ContactMethod, text string) error
}

// Consumer is the consumer of the timeline. All of it is required.
type Consumer struct {
	Store  Store
	People notify.People
	// Works reports whether a medium has a channel.
	Works func(notify.Medium) bool
	// URL is the address of an incident's page.
	URL func(number int64) string
	Log *slog.Logger
}

// Name implements effect.Consumer.
func (c *Consumer) Name() string { return Name }

// Kinds implements effect.Consumer.
func (c *Consumer) Kinds() []incident.EventKind {
	return []incident.EventKind{incident.EvTakenOver, incident.EvEscalated, incident.EvRequestEnded}
}

// Consume implements effect.Consumer.
func (c *Consumer) Consume(ctx context.Context, events []effect.Event) error {
	var people map[int64]notify.Recipient
	for _, e := range events {
		told := toldOf(e)
		if len(told) == 0 {
			continue
		}
		if people == nil {
			var err error
			if people, err = c.People.Recipients(ctx, 0); err != nil {
				return err
			}
		}
		for _, id := range told {
			if err := c.tell(ctx, e, people, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// toldOf are the people who are told of an event, which is not their own.
func toldOf(e effect.Event) []int64 {
	switch p := e.Payload.(type) {
	case incident.TakenOverPayload:
		return p.From
	case incident.EscalatedPayload:
		return p.Owner
	case incident.RequestEndedPayload:
		return p.Asker
	}
	return nil
}

func (c *Consumer) tell(ctx context.Context, e effect.Event, people map[int64]notify.Recipient, id int64) error {
	to := people[id]
	if to.Email == e.Actor {
		return nil
	}
	method, ok := to.FallOver(nil, c.Works)
	if !ok {
		c.Log.WarnContext(ctx, "no contact method for a notice", "incident", e.IncidentNo, "user", to.Email)
		return nil
	}
	return c.Store.SendNotice(ctx, e.ID, method, Text(e, nameOf(e.Actor, people), c.URL(e.IncidentNo)))
}

func nameOf(actor string, people map[int64]notify.Recipient) string {
	for _, known := range people {
		if known.Email == actor {
			return known.Name
		}
	}
	return incident.ActorInWords(actor)
}

// Text is the notice of an event that people are told of. Its first line is the subject
// of an email. by is the name of the actor.
func Text(e effect.Event, by, url string) string {
	n := e.IncidentNo
	switch p := e.Payload.(type) {
	case incident.TakenOverPayload:
		return fmt.Sprintf("%s took over incident %d\n%s owns incident %d now. You do not own it any more. %s", by, n, by, n, url)
	case incident.EscalatedPayload:
		return fmt.Sprintf("Incident %d was escalated\n%s escalated incident %d. Your acknowledgment has ended, and the next step of the policy is paged. %s", n, by, n, url)
	case incident.RequestEndedPayload:
		who := strings.Join(slices.Clone(p.Targets), ", ")
		what := who + " did not answer"
		switch p.Outcome {
		case incident.RequestDeclined:
			what = who + " declined"
		case incident.RequestNobody:
			what = who + ": nobody can be paged"
		}
		return fmt.Sprintf("%s\nYou asked for help with incident %d. %s. %s", what, n, what, url)
	}
	return ""
}
