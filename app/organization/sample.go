package organization

import (
	"fmt"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/rule"
)

// noteSampleKeys notes the dedup rules, new and changed ones, that make no key of a
// complete breach, or the same one of two that have nothing in common: mostly a
// misspelt field. It is no mistake, since senders may give fields of their own,
// and a signal on which a rule fails keeps the key without it.
func (d *draft) noteSampleKeys() {
	for _, is := range d.desired.Integrations {
		if was := find[Integration](d.current, is.Slug); is.Dedup == "" || was != nil && was.Dedup == is.Dedup {
			continue
		}
		if warning := sampleWarning(is.Dedup); warning != "" {
			d.note("integration %s: the dedup rule %s", is.Slug, warning)
		}
	}
}

// sampleWarning is what is strange about a rule, which compiles; empty for nothing.
func sampleWarning(expression string) string {
	key, err := rule.CompileKey(expression)
	if err != nil {
		return "" // it was refused before
	}
	var made [len(sampleBreaches)]string
	for i, event := range sampleBreaches {
		made[i], err = key.Of(event)
		switch {
		case err != nil:
			return fmt.Sprintf("makes no key of a sample breach that has every field: %s. %s", strings.Join(strings.Fields(err.Error()), " "), sampleAdvice)
		case strings.TrimSpace(made[i]) == "":
			return "makes no key of a sample breach that has every field: it yields nothing. " + sampleAdvice
		}
	}
	if made[0] == made[1] {
		return fmt.Sprintf("makes the same key of two sample breaches that differ in every field: %q. What has nothing in common may become one incident. %s", made[0], sampleAdvice)
	}
	return ""
}

const sampleAdvice = "Signals on which it fails keep the key without it. Leave it so if it uses a field that senders add of their own."

// sampleBreaches are two native breaches with every field, as rules see them. They
// differ in each.
var sampleBreaches = [2]map[string]any{
	{
		"status": "breached", "service": "checkout-api", "deployment": "prod-eu", "endpoint": "GET /api/data/{tenant}", "sli": "availability",
		"slo":               map[string]any{"name": "Availability of get data API", "objective": 99.7, "window": "28d"},
		"incident_priority": int64(2), "observed": 98.9, "broken_by_percent": int64(366),
		"error_budget": map[string]any{"remaining_percent": 41.5, "depleted_percent": 12.5, "depletion_window": "60m", "burn_rate": 4.2},
		"started_at":   "2026-11-23T18:04:05Z", "snooze": "120m",
		"environment":  map[string]any{"cpu": "90%", "recycled": "3 min before"},
		"dependencies": []any{map[string]any{"service": "ledger", "availability": 99.2, "error_budget_remaining_percent": int64(-12)}},
		"links":        []any{map[string]any{"text": "Event logs", "href": "https://logs.example.com/q/1"}},
		"dedup_key":    "checkout-availability",
	},
	{
		"status": "recovered", "service": "search", "deployment": "staging-us", "endpoint": "POST /find", "sli": "latency",
		"slo":               map[string]any{"name": "Fast searches", "objective": 95.5, "window": "7d"},
		"incident_priority": int64(4), "observed": 91.3, "broken_by_percent": int64(120),
		"error_budget": map[string]any{"remaining_percent": -3.5, "depleted_percent": 20.5, "depletion_window": "6h", "burn_rate": 1.5},
		"started_at":   "2027-02-01T03:30:00Z", "snooze": "15m",
		"environment":  map[string]any{"cpu": "12%", "recycled": "never"},
		"dependencies": []any{map[string]any{"service": "index", "availability": 97.4, "error_budget_remaining_percent": int64(8)}},
		"links":        []any{map[string]any{"text": "Dashboard", "href": "https://dash.example.com/search"}},
		"dedup_key":    "search-latency",
	},
}
