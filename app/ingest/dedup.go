package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// dedupKey is the sender's, or by default what names the breach: deployment,
// endpoint, SLI and SLO, so joined that different ones never look the same. An
// integration's own rule goes before both: see applyDedupRule.
func (d *sloDecoder) dedupKey(v value) string {
	if v.given() && !v.isString() {
		d.unused("dedup_key", v, "must be text; the default key is used")
	}
	if v.isString() {
		if key := v.text(); strings.TrimSpace(key) != "" {
			short := shorten(key)
			if short != key {
				d.unused("dedup_key", v, fmt.Sprintf("is longer than %d characters; its hash is used", MaxDedupKey))
			}
			return short
		}
	}
	facts := &d.Event.Facts
	return shorten(escapeKey(d.Event.Deployment) + "|" + escapeKey(facts.Endpoint) + "|" +
		escapeKey(facts.SLI) + "|" + escapeKey(facts.SLOName))
}

func escapeKey(part string) string {
	if strings.ContainsAny(part, `|\`) {
		part = strings.ReplaceAll(strings.ReplaceAll(part, `\`, `\\`), "|", `\|`)
	}
	return part
}

func shorten(key string) string {
	if len(key) <= MaxDedupKey || utf8.RuneCountInString(key) <= MaxDedupKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}
