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

// applyDedupRule sets the dedup key that the integration's rule computes. The rule
// takes precedence over a dedup_key in the body, which it may use. Where the rule
// fails on an event, the key without a rule is kept, and a warning says why: a page
// must not be lost to a bad rule.
//
// A breach and its recovery only have the same key where the rule uses fields that
// both carry. For a recovery the key without the rule is returned as well.
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

// endedNothing is the warning of an ignored recovery under a rule.
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
