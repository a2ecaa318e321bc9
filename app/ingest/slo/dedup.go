package slo

import (
	"fmt"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// dedupKey is the sender's, or by default what names the breach: deployment,
// endpoint, SLI and SLO, so joined that different ones never look the same. An
// integration's own rule goes before both: see ingest.Resolve.
func (d *decoder) dedupKey(v document.Value) string {
	if v.Given() && !v.IsString() {
		d.Unused("dedup_key", v, "must be text; the default key is used")
	}
	if v.IsString() {
		if key := v.Text(); strings.TrimSpace(key) != "" {
			short := ingest.ShortenKey(key)
			if short != key {
				d.Unused("dedup_key", v, fmt.Sprintf("is longer than %d characters; its hash is used", ingest.MaxDedupKey))
			}
			return short
		}
	}
	facts := &d.ev.Facts
	return ingest.ShortenKey(escapeKey(d.ev.Deployment) + "|" + escapeKey(facts.Endpoint) + "|" +
		escapeKey(facts.SLI) + "|" + escapeKey(facts.SLOName))
}

func escapeKey(part string) string {
	if strings.ContainsAny(part, `|\`) {
		part = strings.ReplaceAll(strings.ReplaceAll(part, `\`, `\\`), "|", `\|`)
	}
	return part
}
