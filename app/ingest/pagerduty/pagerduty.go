// Package pagerduty is the wire format of PagerDuty's Events API v2: alert events
// and change events, with PagerDuty's own answers, so that whatever can page
// PagerDuty needs only another address and another key.
package pagerduty

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// Kind is how integrations name the format.
const Kind = "pagerduty"

// Where events are posted: the paths of PagerDuty's own API, since clients let
// only the host be set.
const (
	EventPath  = "/v2/enqueue"
	ChangePath = "/v2/change/enqueue"
)

// Format is PagerDuty's Events API v2.
var Format = ingest.Format{
	Kind:   Kind,
	Name:   "PagerDuty Events API v2",
	Signal: "event", Identity: "an event’s `dedup_key`; a trigger without one is always new",
	Endpoints: []ingest.Endpoint{
		{Method: http.MethodPost, Path: EventPath, KeyHeader: keyHeader, Key: routingKey, Redact: redact},
		{Method: http.MethodPost, Path: ChangePath, KeyHeader: keyHeader, Key: routingKey, Redact: redact},
	},
	Names:    ingest.Names{Service: "payload.custom_details.service"},
	Decode:   decode,
	Answer:   answer,
	Refuse:   refuse,
	Sample:   sample,
	Snippets: snippets,
}

// Where the key stands: in the body, or with some clients of PagerDuty's own in a
// header.
const (
	keyField  = "routing_key"
	keyHeader = "X-Routing-Key"
)

// The fields of each object of an event, in the order of their slots.
var (
	eventFields   = [...]string{keyField, "event_action", "dedup_key", "payload", "client", "client_url", "images", "links"}
	payloadFields = [...]string{"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
	changeFields  = [...]string{"summary", "source", "timestamp", "custom_details"}
	linkFields    = [...]string{"href", "text"}
	imageFields   = [...]string{"src", "href", "alt"}
)

// decode reads an event. Its content type does not count: PagerDuty does not
// look at it, and `curl -d` says that JSON is a form.
//
//	field             must be                              otherwise
//	event_action      trigger, acknowledge, resolve        refused
//	dedup_key         text, ≤ ingest.MaxDedupKey           longer: its hash; blank: made by ingest for a
//	                                                       trigger, refused for the other actions
//	payload.summary   on a trigger, not blank              refused; over document.MaxName cut
//	payload.source    on a trigger, not blank              refused; over document.MaxName cut
//	payload.severity  on a trigger, may be "": Alertmanager refused where it is missing; not used where it
//	                  sends that where alerts differ       is no severity of PagerDuty's
//	payload.timestamp ISO 8601, or seconds since 1970      not used
//	custom_details    anything                             -
//	links, images     objects with an http(s) address      the entry is not used
//
// An acknowledge or resolve needs no payload. What is not known or not used is
// kept in Facts.Unknown, and warned of where its sender can mean something by it.
// The routing key is a secret and stands neither in the facts nor in the body.
//
// The timestamp is shown and does not order events: PagerDuty goes by their
// arrival, and senders put in it when the trouble began, the event was made, or a
// constant.
//
// payload.group is a label of PagerDuty's and groups nothing here. A service and
// a deployment are taken from custom_details, for keys without a service.
//
// Faults: Malformed for what is no JSON object, Invalid for what the table
// refuses.
func decode(in ingest.Input) ([]ingest.Event, error) {
	doc, err := document.Parse(in.Body, "")
	if err != nil {
		return nil, err
	}
	d := decoder{}
	var slots [len(eventFields)]document.Value
	d.Object("", doc, eventFields[:], slots[:])
	d.Unknown = slices.DeleteFunc(d.Unknown, func(p incident.Pair) bool { return p.Name == keyField })
	if in.Endpoint == ChangePath {
		d.change(slots[:])
	} else {
		d.event(slots[:])
	}
	if len(d.Refused) > 0 {
		return nil, fault.Rejected(d.Refused)
	}
	d.Finish()
	d.ev.Facts.Unknown, d.ev.Warnings = d.Unknown, d.Warnings
	d.ev.Body = withoutKey(in.Body, doc)
	return []ingest.Event{d.ev}, nil
}

type decoder struct {
	document.Reader
	ev ingest.Event
}

func (d *decoder) event(in []document.Value) {
	ev, facts := &d.ev, &d.ev.Facts
	ev.Action = d.action(in[1])
	ev.DedupKey = d.dedupKey(in[2], ev.Action)
	d.payload(in[3], ev.Action == incident.Trigger)
	facts.Client = d.client(in[4], in[5])
	facts.Images = d.images(in[6])
	facts.Links = append(facts.Links, d.links(in[7])...)
	if facts.Runbook == "" {
		for _, link := range facts.Links {
			if strings.Contains(strings.ToLower(link.Text), "runbook") {
				facts.Runbook = link.Href
				break
			}
		}
	}
}

func (d *decoder) action(v document.Value) incident.Action {
	switch name := scalar(v); strings.ToLower(name) {
	case "trigger":
		return incident.Trigger
	case "acknowledge":
		return incident.AcknowledgeAlert
	case "resolve":
		return incident.Resolve
	case "":
		d.Refuse("event_action", missing)
	default:
		d.Refuse("event_action", "is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	}
	return ""
}

// missing is PagerDuty's word for a field that is not there or empty.
const missing = "is missing or blank"

func (d *decoder) dedupKey(v document.Value, action incident.Action) string {
	key := scalar(v)
	switch {
	case key != "":
	case v.IsObject() || v.IsArray():
		d.Unused("dedup_key", v, "must be text; another one is made")
		fallthrough
	default:
		if action == incident.AcknowledgeAlert || action == incident.Resolve {
			d.Refuse("dedup_key", missing)
		}
		return ""
	}
	short := ingest.ShortenKey(key)
	if short != key {
		d.Unused("dedup_key", v, fmt.Sprintf("is longer than %d characters; its hash is used", ingest.MaxDedupKey))
	}
	return short
}

func (d *decoder) payload(v document.Value, needed bool) {
	var in [len(payloadFields)]document.Value
	switch {
	case v.IsObject():
		d.Object("payload.", v, payloadFields[:], in[:])
	case v.Given():
		d.Unused("payload", v, "must be an object and is not used")
	}
	ev, facts := &d.ev, &d.ev.Facts
	ev.Title = d.line("payload.summary", in[0], needed)
	facts.Source = d.line("payload.source", in[1], needed)
	ev.Severity = d.severity(in[2], needed)
	ev.Low = ev.Severity == "warning" || ev.Severity == "info"
	facts.Severity = ev.Severity
	if at := d.timestamp("payload.timestamp", in[3]); !at.IsZero() {
		facts.StartedAt = &at
	}
	facts.Component = d.line("payload.component", in[4], false)
	facts.Class = d.line("payload.class", in[6], false)
	if group := d.line("payload.group", in[5], false); group != "" {
		facts.Details = append(facts.Details, incident.Pair{Name: "group", Value: group})
	}
	d.customDetails(in[7])
}

// line is a text of one line; a number or a boolean is one too. One that is too
// long is cut and warned of.
func (d *decoder) line(path string, v document.Value, needed bool) string {
	if scalar(v) == "" && needed {
		d.Refuse(path, missing)
		return ""
	}
	return d.Scalar(path, v)
}

func (d *decoder) severity(v document.Value, needed bool) string {
	if !v.Given() {
		if needed {
			d.Refuse("payload.severity", missing)
		}
		return ""
	}
	switch severity := strings.ToLower(scalar(v)); severity {
	case "critical", "error", "warning", "info":
		return severity
	case "":
		if v.IsString() {
			return ""
		}
	}
	d.Unused("payload.severity", v, "must be one of the following: 'critical', 'error', 'warning' or 'info', and is not used")
	return ""
}

// scalar is what a text, a number or a boolean says, without space around it;
// empty for anything else.
func scalar(v document.Value) string {
	if !v.Given() || v.IsObject() || v.IsArray() {
		return ""
	}
	return document.OneLine(v.Text())
}

func (d *decoder) client(name, address document.Value) *incident.Link {
	client := incident.Link{Text: d.line("client", name, false), Href: d.address("client_url", address)}
	if client.Text == "" {
		client.Text = client.Href
	}
	if client.Text == "" {
		return nil
	}
	return &client
}
