package alertmanager

import (
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// slo is the SLO that a burn-rate alert is of.
type slo struct {
	key  string // identifies it within a service; empty for an alert of no SLO
	name string
}

// readSLO finds the SLO by the labels that Sloth or Pyrra add. Sloth's page wakes
// somebody, its ticket waits; of Pyrra's windows the slow ones have severity
// warning and wait as any other warning does.
//
// An SLO in two deployments is two, as it is for native breaches.
func (a *alert) readSLO() {
	generator, id := "", ""
	switch {
	case a.label("sloth_id") != "" || a.label("sloth_slo") != "":
		generator, a.slo.name = "sloth", a.line("sloth_slo", "sloth_id")
		if id = a.label("sloth_id"); id == "" {
			id = a.label("sloth_service") + "/" + a.label("sloth_slo")
		}
		switch page := a.label("sloth_severity"); page {
		case "page", "ticket":
			a.low = page == "ticket"
			if a.severity == "" {
				a.severity = severities[page]
			}
		}
	case a.label("slo") != "" && a.label("short") != "" && a.label("long") != "":
		generator, a.slo.name = "pyrra", a.line("slo")
		id = a.label("slo")
		if left, ok := document.ParseDuration(a.label("exhaustion")); ok && !a.startsAt.IsZero() && a.action == incident.Trigger {
			at := a.startsAt.Add(left)
			a.exhaustionAt = &at
		}
	default:
		return
	}
	a.slo.key = generator + ":" + id
	if a.deployment != "" {
		a.slo.key += "@" + a.deployment
	}
	a.slo.key = ingest.ShortenKey(a.slo.key)
}

// mergeSLO makes one event of the alerts of an SLO in one notification, so that
// page and ticket, or up to four windows, are one alert that pages once and again
// only where it gets worse. The worst firing one is shown, and what tells the
// others from it. It resolves when none fires any more: Alertmanager lists all
// alerts of a group that fire, whichever of them changed. That holds within a
// group alone, so that the group's key is part of the deduplication key; where
// the route parts the alerts of an SLO into several groups, they are alerts of
// one incident. It is false where none fires and the list is not complete, since
// one that was left out may.
func (r *request) mergeSLO(alerts []alert) (ingest.Event, bool) {
	worst := &alerts[0]
	for i := range alerts[1:] {
		if a := &alerts[i+1]; worse(a, worst) {
			worst = a
		}
	}
	if worst.action == incident.Resolve && r.truncated > 0 {
		return ingest.Event{}, false
	}
	ev := r.event(worst)
	ev.Group = worst.slo.key
	ev.DedupKey = r.key(worst.slo.key)
	for i := range alerts {
		a := &alerts[i]
		if a != worst && a.action == incident.Trigger && len(ev.Facts.Details) < document.MaxEntries {
			ev.Facts.Details = append(ev.Facts.Details, incident.Pair{Name: "Also firing", Value: difference(a, worst)})
		}
		if a.action == worst.action {
			ev.StartedAt = start(worst.action, ev.StartedAt, a.startsAt)
		}
	}
	if started := ev.StartedAt; !started.IsZero() {
		ev.Facts.StartedAt = &started
	}
	return ev, true
}

// worse orders alerts of an SLO: one that fires before one that does not, one that
// pages before one that waits, then by severity and by how soon the error budget
// is exhausted.
func worse(a, b *alert) bool {
	switch {
	case a.action != b.action:
		return a.action == incident.Trigger
	case a.low != b.low:
		return b.low
	case a.severity != b.severity:
		return incident.WorseSeverity(a.severity, b.severity)
	case a.exhaustionAt != nil && b.exhaustionAt != nil:
		return a.exhaustionAt.Before(*b.exhaustionAt)
	}
	return false
}

// start is the first start of alerts that fire, since the SLO breaks from then on,
// and the last of those that are over, so that no later firing is taken for newer
// than its end.
func start(action incident.Action, a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && (action == incident.Trigger) == a.Before(b) {
		return a
	}
	return b
}

// difference lists the labels of a that are not those of b.
func difference(a, b *alert) string {
	var parts []string
	for _, l := range a.labels {
		if value(b.labels, l.Name) != strings.TrimSpace(l.Value) {
			parts = append(parts, l.Name+"="+l.Value)
		}
	}
	return strings.Join(parts, ", ")
}
