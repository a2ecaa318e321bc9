package slo

import (
	"fmt"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// senderKey is a dedup key that can be used as it was sent; empty for none.
func senderKey(v document.Value) string {
	if !v.IsString() || strings.TrimSpace(v.Text()) == "" {
		return ""
	}
	return v.Text()
}

// dedupKey is the sender's, or by default the parts that name the breach: deployment,
// endpoint, SLI and SLO or SLA, each whole, and so joined that different ones never look the
// same. An integration's own rule goes before both: see ingest.Resolve.
func (d *decoder) dedupKey(v document.Value, parts ...document.Value) string {
	if v.Given() && !v.IsString() {
		d.Unused("dedup_key", v, "must be text; the default key is used")
	}
	if key := senderKey(v); key != "" {
		short := ingest.ShortenKey(key)
		if short != key {
			d.Unused("dedup_key", v, fmt.Sprintf("is longer than %d characters; its hash is used", ingest.MaxDedupKey))
		}
		return short
	}
	names := make([]string, len(parts))
	for i, part := range parts {
		if part.IsString() {
			names[i] = escapeKey(document.OneLine(part.Text()))
		}
	}
	return ingest.ShortenKey(strings.Join(names, "|"))
}

func escapeKey(part string) string {
	if strings.ContainsAny(part, `|\`) {
		part = strings.ReplaceAll(strings.ReplaceAll(part, `\`, `\\`), "|", `\|`)
	}
	return part
}
