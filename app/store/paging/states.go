package paging

import (
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// States of messages, and of the attempts to send them. A page and an escalation
// share some of the names.
const (
	Queued    = "queued"    // waits to be claimed
	Sending   = "sending"   // claimed under a lease: its call may be under way
	Sent      = "sent"      // the provider accepted it
	Delivered = "delivered" // the provider confirmed the delivery
	Failed    = "failed"
	Withdrawn = "withdrawn" // its incidents were answered before it was sent
)

// States of pages: Active, Superseded, Failed and Withdrawn.
const (
	Active     = "active"     // waits for an answer
	Superseded = "superseded" // a later step pages; an answer to it still counts
)

// Stopped is the state of an escalation that is not Active.
const Stopped = "stopped"

// Conditions that queries share. Each begins with its column, so that the alias
// of a table can stand before it: "p." + Answerable.
const (
	// Answerable is the condition on pages that an answer to the page counts.
	Answerable = "state IN ('" + Active + "', '" + Superseded + "')"
	// OpenIncident is the condition on incidents as the indexes incidents_open
	// and incidents_group have it.
	OpenIncident = "status <> '" + string(incident.Resolved) + "'"

	toChannel = "kind = '" + string(notify.KindChannel) + "'"  // on messages: to a chat channel
	toPerson  = "kind <> '" + string(notify.KindChannel) + "'" // on messages: to a person
)
