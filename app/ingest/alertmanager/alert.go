package alertmanager

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// alert is one alert of a notification.
type alert struct {
	document.Reader
	json                document.Value // its text in the request
	action              incident.Action
	labels, annotations []incident.Pair
	startsAt            time.Time
	fingerprint         string // empty where the sender gave none

	service, deployment string
	severity            string
	low                 bool
	slo                 slo
	exhaustionAt        *time.Time
	details             []incident.Pair
	links               []incident.Link
	runbook             string
}

// readAlert reads an alert; prefix is "alerts[3].".
func readAlert(prefix string, v document.Value) alert {
	a := alert{json: v, action: incident.Trigger}
	var in [len(alertFields)]document.Value
	a.Object(prefix, v, alertFields[:], in[:])
	switch status := text(in[0]); status {
	case "resolved":
		a.action = incident.Resolve
	case "firing", "":
	default:
		a.Unused(prefix+"status", in[0], `must be "firing" or "resolved"; it counts as firing`)
	}
	a.labels = a.pairs(prefix+"labels", in[1])
	a.annotations = a.pairs(prefix+"annotations", in[2])
	a.startsAt = a.time(prefix+"startsAt", in[3])
	if ended := a.time(prefix+"endsAt", in[4]); a.action == incident.Resolve && !ended.IsZero() {
		a.details = []incident.Pair{{Name: "endsAt", Value: ended.Format(time.RFC3339)}}
	}
	a.fingerprint = text(in[6])

	a.service = a.line("service", "sloth_service")
	a.deployment = a.line("environment", "env", "deployment")
	a.severity = severities[strings.ToLower(a.label("severity"))]
	a.low = a.severity == "warning" || a.severity == "info"
	a.readSLO()
	a.readLinks(text(in[5]))
	a.Finish()
	return a
}

// severities are what people write in the label "severity". By the custom of
// the rules that are shared for Prometheus, a warning waits for working hours.
var severities = map[string]string{
	"critical": "critical", "page": "critical", "fatal": "critical", "emergency": "critical", "disaster": "critical",
	"error": "error", "high": "error", "major": "error",
	"warning": "warning", "warn": "warning", "ticket": "warning", "medium": "warning", "minor": "warning",
	"info": "info", "information": "info", "informational": "info", "notice": "info", "low": "info", "none": "info", "debug": "info",
}

// text is what a text, a number or a boolean says, on one line.
func text(v document.Value) string {
	if !v.Given() || v.IsObject() || v.IsArray() {
		return ""
	}
	return document.OneLine(v.Text())
}

// pairs are the members of an object in its order. Of a name that is given twice
// the last counts.
func (a *alert) pairs(path string, v document.Value) []incident.Pair {
	if !v.Given() {
		return nil
	}
	if !v.IsObject() {
		a.Unused(path, v, "must be an object and is not used")
		return nil
	}
	var pairs []incident.Pair
	for name, value := range v.Members() {
		pair := incident.Pair{Name: name.Text(), Value: value.Text()}
		if i := slices.IndexFunc(pairs, func(p incident.Pair) bool { return p.Name == pair.Name }); i >= 0 {
			pairs[i] = pair
		} else if !a.Full(len(pairs)) {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

// time is zero for the year 1, which is how Go writes that there is none.
func (a *alert) time(path string, v document.Value) time.Time {
	if s := text(v); s == "" && v.IsString() || strings.HasPrefix(s, "0001-01-01T") {
		return time.Time{}
	}
	return a.Time(path, v)
}

func (a *alert) label(name string) string { return value(a.labels, name) }

func (a *alert) annotation(name string) string { return value(a.annotations, name) }

func value(pairs []incident.Pair, name string) string {
	for i := range pairs {
		if pairs[i].Name == name {
			return strings.TrimSpace(pairs[i].Value)
		}
	}
	return ""
}

// line is the first of these labels that is given, within the bounds of a name.
func (a *alert) line(names ...string) string {
	for _, name := range names {
		if s := document.Cut(document.OneLine(a.label(name))); s != "" {
			return s
		}
	}
	return ""
}

// identity is the fingerprint, which Alertmanager makes of the labels, or
// another hash of the labels.
func (a *alert) identity() string {
	if a.fingerprint != "" {
		return a.fingerprint
	}
	labels := slices.Clone(a.labels)
	slices.SortFunc(labels, func(p, q incident.Pair) int { return strings.Compare(p.Name, q.Name) })
	hash := sha256.New()
	for _, l := range labels {
		hash.Write([]byte(l.Name + "\x00" + l.Value + "\x00"))
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// titles are the annotations that a title is taken from, the first that is
// given.
var titles = [...]string{"summary", "title", "message", "description"}

func (a *alert) title() string {
	for _, name := range titles {
		if s := document.Cut(document.OneLine(a.annotation(name))); s != "" {
			return s
		}
	}
	if s := document.Cut(document.OneLine(a.label("alertname"))); s != "" {
		return s
	}
	return "Alert without a name"
}

// description is the text that is longer than a title, where there is one.
func (a *alert) description() string {
	for _, name := range []string{"description", "message"} {
		if s := a.annotation(name); s != "" && document.OneLine(s) != a.title() {
			return s
		}
	}
	return ""
}

// readLinks takes the addresses from the annotations, and that of the rule's
// expression.
func (a *alert) readLinks(generator string) {
	for _, runbook := range []struct{ name, text string }{
		{"runbook_url", "Runbook"}, {"runbook", "Runbook"}, {"runbook_url_internal", "Runbook (internal)"},
	} {
		if a.link(runbook.text, a.annotation(runbook.name)) && a.runbook == "" {
			a.runbook = a.annotation(runbook.name)
		}
	}
	for i := range a.annotations {
		if name := strings.ToLower(a.annotations[i].Name); strings.Contains(name, "dashboard") {
			a.link("Dashboard", strings.TrimSpace(a.annotations[i].Value))
		}
	}
	a.link("Source of the alert", generator)
}

func (a *alert) link(text, href string) bool {
	if href != document.OneLine(href) || !document.IsWebAddress(href) {
		return false
	}
	a.links = append(a.links, incident.Link{Text: text, Href: href})
	return true
}
