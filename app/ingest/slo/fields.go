package slo

import (
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// fields is a breach as rules see it: the fields of the wire format as they were
// sent, unknown ones included: see document.Value.Object. What names the breach
// is as it was understood, so that a space too many makes no other key.
func fields(ev *ingest.Event) map[string]any {
	all := map[string]any{}
	if doc := document.Parsed(ev.Body); doc.IsObject() {
		all = doc.Object()
	}
	all["status"] = "breached"
	switch {
	case ev.Report != nil:
		all["status"] = "report"
	case ev.Action == incident.Resolve:
		all["status"] = "recovered"
	}
	for _, name := range []string{"service", "deployment", "endpoint", "sli"} {
		trim(all, name)
	}
	for _, objective := range []string{"slo", "sla"} {
		if o, ok := all[objective].(map[string]any); ok {
			trim(o, "name")
		}
	}
	return all
}

// trim makes a text of one line of one that is not blank.
func trim(in map[string]any, name string) {
	text, ok := in[name].(string)
	if text = document.OneLine(text); ok && text != "" {
		in[name] = text
	}
}
