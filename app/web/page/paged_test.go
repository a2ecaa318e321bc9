package page

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestWaitingForBundle(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	bundled := func(medium string, after time.Duration) incident.PageRecord {
		due := now.Add(after)
		return incident.PageRecord{MessageID: 1, Medium: medium, State: incident.AttemptBundled, RetryAt: &due}
	}
	queued := incident.PageRecord{MessageID: 2, Medium: "email", State: incident.AttemptQueued}
	sent := incident.PageRecord{MessageID: 3, AttemptID: 1, Medium: "email", State: incident.AttemptSent}
	for name, test := range map[string]struct {
		records []incident.PageRecord
		medium  string // of what waits; empty where nothing does
	}{
		"nothing is made so far":         {[]incident.PageRecord{{State: incident.AttemptQueued}}, ""},
		"the first of two":               {[]incident.PageRecord{bundled("sms", 40*time.Second), bundled("slack", 20*time.Second)}, "slack"},
		"another one was sent":           {[]incident.PageRecord{sent, bundled("sms", time.Second)}, "sms"},
		"another one is about to leave":  {[]incident.PageRecord{bundled("sms", time.Second), queued}, ""},
		"it is due":                      {[]incident.PageRecord{bundled("sms", 0)}, ""},
		"one is due, and another is not": {[]incident.PageRecord{bundled("sms", -time.Second), bundled("slack", time.Second)}, "slack"},
	} {
		medium := ""
		if w := waiting(now, test.records); w != nil {
			medium = w.Medium
		}
		if medium != test.medium {
			t.Errorf("%s: %q waits, want %q", name, medium, test.medium)
		}
	}
}
