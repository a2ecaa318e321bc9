// Package alertmanager is the wire format of Prometheus Alertmanager's webhook
// receiver, version 4, which Mimir's and others' Alertmanagers send too. It knows
// the labels of the burn-rate alerts that Sloth and Pyrra generate.
package alertmanager

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// Kind is how integrations name the format.
const Kind = "alertmanager"

// Path is where Alertmanager posts.
const Path = "/webhooks/alertmanager"

// Format is Alertmanager's webhook.
var Format = ingest.Format{
	Kind:      Kind,
	Name:      "Prometheus Alertmanager",
	Signal:    "alert",
	Identity:  "an alert’s `fingerprint` within its `groupKey`; the burn-rate alerts of one SLO are one",
	Endpoints: []ingest.Endpoint{{Method: http.MethodPost, Path: Path, KeyInPath: true}},
	Names:     ingest.Names{Service: "labels.service", StartedAt: "startsAt"},
	Decode:    decode,
	Answer:    answer,
	Refuse:    refuse,
	Sample:    sample,
	Snippets:  snippets,
}

// The fields of a request and of each of its alerts, in the order of their
// slots. What stands in version, status, commonLabels, commonAnnotations,
// notification_reason and routeLabels is told by the alerts themselves, or is
// of no use here.
var (
	requestFields = [...]string{
		"alerts", "groupKey", "groupLabels", "receiver", "externalURL", "truncatedAlerts",
		"version", "status", "commonLabels", "commonAnnotations", "notification_reason", "routeLabels",
	}
	alertFields = [...]string{"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
)

// decode reads a notification. Each alert is an event of its own, by its own
// status: that of the request is "firing" while any alert is. Its deduplication
// key is its fingerprint within its group, and the group is Alertmanager's
// groupKey. The alerts of one SLO in a request are one event: see mergeSLOs.
//
//	field                    must be                           otherwise
//	alerts                   a list; an empty one asks for     refused
//	                         nothing
//	alerts[…]                an object                         not used; refused where no alert is left
//	status                   "firing" or "resolved"            firing
//	labels, annotations      an object                         not used
//	fingerprint              text                              a hash of the labels
//	startsAt                 RFC 3339; the year 1 is none      not used
//	groupKey                 text                              receiver and groupLabels, else no group
//	truncatedAlerts          a number; warned of and shown     not used
//
// All else is kept in Facts.Unknown. The content type does not count: Alertmanager
// loses a notification that is answered 4xx, so that only what can never be
// understood is.
//
// Faults: Malformed for what is no JSON object, Invalid for what the table
// refuses.
func decode(in ingest.Input) ([]ingest.Event, error) {
	doc, err := document.Parse(in.Body, "")
	if err != nil {
		return nil, err
	}
	r := request{}
	var slots [len(requestFields)]document.Value
	r.Object("", doc, requestFields[:], slots[:])
	alerts := r.read(slots[:])
	if len(r.Refused) > 0 {
		return nil, fault.Rejected(r.Refused)
	}
	r.Finish()
	events := r.events(alerts)
	for i := range events {
		events[i].Facts.Unknown = append(events[i].Facts.Unknown, r.Unknown...)
	}
	if len(events) > 0 {
		events[0].Warnings = append(r.Warnings, events[0].Warnings...)
	}
	return events, nil
}

// request is what the alerts of a notification share.
type request struct {
	document.Reader
	group     string // empty for none
	groupHash string
	client    *incident.Link
	truncated int64
}

func (r *request) read(in []document.Value) []alert {
	list := in[0]
	if !list.Given() {
		r.Refuse("alerts", "is missing")
		return nil
	}
	if !list.IsArray() {
		r.Refuse("alerts", "must be a list of alerts")
		return nil
	}
	r.group = text(in[1])
	if r.group == "" && (in[2].IsObject() || text(in[3]) != "") {
		r.group = text(in[3]) + ":" + in[2].Text()
	}
	if r.group != "" {
		sum := sha256.Sum256([]byte(r.group))
		r.groupHash = hex.EncodeToString(sum[:8])
		r.group = ingest.ShortenKey(r.group)
	}
	if address := text(in[4]); document.IsWebAddress(address) {
		if receiver := text(in[3]); receiver != "" {
			address = strings.TrimRight(address, "/") + "/#/alerts?receiver=" + url.QueryEscape(receiver)
		}
		r.client = &incident.Link{Text: "Alertmanager", Href: address}
	}
	if n, err := strconv.ParseInt(text(in[5]), 10, 64); err == nil && n > 0 {
		r.truncated = n
		r.Warn("Alertmanager left " + strconv.FormatInt(n, 10) + " alerts out of the notification, by max_alerts.")
	}
	var alerts []alert
	found := false
	for i, v := range list.Elements() {
		found = true
		path := "alerts[" + strconv.Itoa(i) + "]"
		if !v.IsObject() {
			r.Unused(path, v, "must be an object and is not used")
			continue
		}
		alerts = append(alerts, readAlert(path+".", v))
	}
	if found && len(alerts) == 0 {
		r.Refuse("alerts", "must be a list of alerts")
	}
	return alerts
}

// events are those of the alerts, in the order of the request; an SLO's is where
// its first alert is.
func (r *request) events(alerts []alert) []ingest.Event {
	var events []ingest.Event
	bySLO := map[string][]alert{}
	for i := range alerts {
		if slo := alerts[i].slo; slo.key != "" {
			bySLO[slo.key] = append(bySLO[slo.key], alerts[i])
		}
	}
	for i := range alerts {
		a := &alerts[i]
		if a.slo.key == "" {
			ev := r.event(a)
			ev.Group = r.group
			ev.DedupKey = r.key(a.identity())
			events = append(events, ev)
			continue
		}
		if all := bySLO[a.slo.key]; len(all) > 0 {
			delete(bySLO, a.slo.key)
			if ev, ok := r.mergeSLO(all); ok {
				events = append(events, ev)
			}
		}
	}
	return events
}

// key is the deduplication key of what has an identity within the group.
func (r *request) key(identity string) string {
	if r.groupHash != "" {
		identity = r.groupHash + "/" + identity
	}
	return ingest.ShortenKey(identity)
}

// event is that of an alert, without what identifies it.
func (r *request) event(a *alert) ingest.Event {
	ev := ingest.Event{Event: incident.Event{
		Action: a.action, Title: a.title(), ServiceName: a.service, Deployment: a.deployment,
		StartedAt: a.startsAt, Severity: a.severity, Low: a.low,
		Warnings: a.Warnings, Body: []byte(a.json),
	}}
	ev.Facts = incident.Facts{
		Service: a.service, SLOName: a.slo.name, Severity: a.severity, Description: a.description(),
		Labels: a.labels, Annotations: a.annotations, Details: a.details, Links: a.links, Runbook: a.runbook,
		Client: r.client, ExhaustionAt: a.exhaustionAt, Truncated: r.truncated, Unknown: a.Unknown,
	}
	if !a.startsAt.IsZero() {
		started := a.startsAt
		ev.Facts.StartedAt = &started
	}
	return ev
}

// answer lists the result of each event.
func answer(_ ingest.Input, answers []ingest.Answer, reply *ingest.Reply) {
	if answers == nil {
		answers = []ingest.Answer{}
	}
	body, _ := json.Marshal(answers) // texts and numbers alone can always be written
	reply.Status, reply.ContentType, reply.Body = http.StatusAccepted, "application/json", append(body, '\n')
}

// refuse answers 503 where others get 429, which Alertmanager does not retry: it
// would lose the notification.
func refuse(_ ingest.Input, err error) (ingest.Reply, bool) {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.KindLimited {
		return ingest.Reply{}, false
	}
	body, _ := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable, f.Message})
	return ingest.Reply{Status: http.StatusServiceUnavailable, ContentType: "application/problem+json", Body: body}, true
}
