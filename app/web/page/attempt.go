package page

import (
	"strings"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// Attempted reports whether a message was sent, or failed to be.
func Attempted(r incident.PageRecord) bool {
	return r.AttemptID != 0 && r.State != incident.AttemptWithdrawn || r.State == incident.AttemptFailed
}

// AttemptOf is one message to one contact method. At is when it reached its
// current state; of one that waits, when it is due.
func AttemptOf(r incident.PageRecord) incidents.Attempt {
	a := incidents.Attempt{
		PageID: r.PageID, Person: element.Person{ID: r.UserID, Name: r.UserName}, Medium: r.Medium, Contact: r.Contact,
		State: incidents.AttemptState(r.State), Error: r.Error, Number: r.Number, Again: r.Again, InsteadOf: r.InsteadOf, With: r.With, Waits: r.Waits,
	}
	if r.State == incident.AttemptBundled {
		a.State = incidents.Queued
	}
	if strings.HasPrefix(r.ProviderID, logPrefix) {
		a.Medium = "log"
	}
	switch {
	case r.FinishedAt != nil:
		a.At = *r.FinishedAt
	case r.StartedAt != nil:
		a.At = *r.StartedAt
	case r.RetryAt != nil:
		a.At = *r.RetryAt
	case r.EndedAt != nil:
		a.At = *r.EndedAt
	default:
		a.At = r.CreatedAt
	}
	if r.State == incident.AttemptFailed && r.RetryAt != nil && r.StartedAt != nil && r.RetryAt.After(*r.StartedAt) {
		a.RetryAt = *r.RetryAt
	}
	return a
}

// logPrefix starts the provider's id of messages that only went to the log.
const logPrefix = "log-"
