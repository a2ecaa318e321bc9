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
	if ev.Action == incident.Resolve {
		all["status"] = "recovered"
	}
	set(all, "service", ev.ServiceName)
	set(all, "deployment", ev.Deployment)
	set(all, "endpoint", ev.Facts.Endpoint)
	set(all, "sli", ev.Facts.SLI)
	if slo, ok := all["slo"].(map[string]any); ok {
		set(slo, "name", ev.Facts.SLOName)
	}
	return all
}

func set(in map[string]any, name, text string) {
	if text != "" {
		in[name] = text
	}
}
