package ingest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// applyDedupRule gives an event the key that its integration's own rule makes.
// The rule goes before a dedup_key in the body, which it may use, being the
// organisation's word. Where it fails on an event the key stays as it is without
// a rule, and a warning says why: no page is lost by it.
//
// A breach and its recovery only meet where the rule uses what both carry. Of a
// recovery the key without the rule is returned besides.
func applyDedupRule(ev *incident.Event, snapshot *catalog.Snapshot, integration catalog.Integration, format *Format, sent *Event) (without string) {
	key, err := keyByRule(snapshot, integration, format, sent)
	if err != nil {
		ev.Warnings = append(ev.Warnings, fmt.Sprintf("The integration's dedup rule cannot be used here: %s. The key is the one without it.", document.Printable(err.Error())))
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

func keyByRule(snapshot *catalog.Snapshot, integration catalog.Integration, format *Format, sent *Event) (string, error) {
	rule, err := snapshot.DedupRule(integration)
	if err != nil {
		return "", err
	}
	key, err := rule.Of(format.fields(sent))
	if err != nil {
		return "", err
	}
	switch key = document.Storable(key); {
	case strings.TrimSpace(key) == "":
		return "", errors.New("it yields nothing")
	case utf8.RuneCountInString(key) > MaxDedupKey:
		return "", fmt.Errorf("it yields more than %d characters", MaxDedupKey)
	}
	return key, nil
}

// fields are what a rule sees as `event`.
func (f *Format) fields(ev *Event) map[string]any {
	if f.Fields != nil {
		return f.Fields(ev)
	}
	if doc := document.Parsed(ev.Body); doc.IsObject() {
		return doc.Object()
	}
	return map[string]any{}
}
