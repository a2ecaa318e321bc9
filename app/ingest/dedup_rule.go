package ingest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// applyDedupRule gives an event the key that its integration's own rule makes.
// The rule goes before a dedup_key in the body, which it may use, being the
// organisation's word. Where it fails on an event the key stays as it is without
// a rule, and a warning says why: no page is lost by it.
//
// A breach and its recovery only meet where the rule uses what both carry. Of a
// recovery the key without the rule is returned besides.
func applyDedupRule(ev *incident.Event, snapshot *catalog.Snapshot, integration catalog.Integration) (without string) {
	key, err := keyByRule(ev, snapshot, integration)
	if err != nil {
		ev.Warnings = append(ev.Warnings, fmt.Sprintf("The integration's dedup rule cannot be used here: %s. The key is the one without it.", printable(err.Error())))
		return ""
	}
	if ev.Action == incident.Resolve {
		without = ev.DedupKey
	}
	ev.DedupKey = key
	return without
}

// endedNothing warns of a recovery under a rule that was ignored.
const endedNothing = "The recovery ended nothing under the key of the integration's dedup rule, nor under the key without it. " +
	"If the rule was changed since the breach came in, resolve the incident by hand."

func keyByRule(ev *incident.Event, snapshot *catalog.Snapshot, integration catalog.Integration) (string, error) {
	rule, err := snapshot.DedupRule(integration)
	if err != nil {
		return "", err
	}
	key, err := rule.Of(eventOf(ev))
	if err != nil {
		return "", err
	}
	switch key = storable(key); {
	case strings.TrimSpace(key) == "":
		return "", errors.New("it yields nothing")
	case utf8.RuneCountInString(key) > MaxDedupKey:
		return "", fmt.Errorf("it yields more than %d characters", MaxDedupKey)
	}
	return key, nil
}

// eventOf is a breach as rules see it: the fields of the wire format as they
// were sent, unknown ones included. What was null is not there; of a name that
// is given twice the last counts; numbers are as plain has them. What names the
// breach is as Tocsin understood it, so that a space too many makes no
// other key.
func eventOf(ev *incident.Event) map[string]any {
	event := map[string]any{}
	if doc := document(ev.Body); doc.isObject() {
		event = doc.object()
	}
	event["status"] = "breached"
	if ev.Action == incident.Resolve {
		event["status"] = "recovered"
	}
	understood(event, "service", ev.ServiceName)
	understood(event, "deployment", ev.Deployment)
	understood(event, "endpoint", ev.Facts.Endpoint)
	understood(event, "sli", ev.Facts.SLI)
	if slo, ok := event["slo"].(map[string]any); ok {
		understood(slo, "name", ev.Facts.SLOName)
	}
	return event
}

func understood(in map[string]any, name, text string) {
	if text != "" {
		in[name] = text
	}
}

// object is an object as Go has it, without what is null.
func (v value) object() map[string]any {
	all := map[string]any{}
	for name, member := range v.members() {
		if member.given() {
			all[name.text()] = member.plain()
		} else {
			delete(all, name.text())
		}
	}
	return all
}

// plain is a value as Go has it: a map, a list, a string, an int64 or float64, a
// boolean, or nil. It goes no deeper than parse lets a body be. A number of digits
// alone is an int64, or where it is too large for one the text of its digits, so
// that ids stay apart; any other is the float64 next to it.
func (v value) plain() any {
	switch {
	case v.isObject():
		return v.object()
	case v.isArray():
		all := []any{}
		for _, element := range v.elements() {
			all = append(all, element.plain())
		}
		return all
	case v.isString():
		return v.text()
	case v.isNumber():
		n, err := strconv.ParseInt(string(v), 10, 64)
		switch {
		case err == nil:
			return n
		case errors.Is(err, strconv.ErrRange):
			return string(v)
		}
		f, _ := strconv.ParseFloat(string(v), 64) // what is too large is infinite
		return f
	case !v.given():
		return nil
	}
	return v == "true"
}
