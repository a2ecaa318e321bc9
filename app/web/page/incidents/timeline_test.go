package incidents

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

// An alert that recovers before another joins stays described as the only one.
func TestLaterEventsDoNotChangeRecovery(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	var events []incident.TimelineEvent
	for i, payload := range []incident.Payload{incident.ReceivedPayload{}, incident.RecoveredPayload{}, incident.JoinedPayload{}, incident.RecoveredPayload{}} {
		events = append(events, incident.TimelineEvent{ID: int64(i), At: at.Add(time.Duration(i) * time.Minute), Actor: incident.Tocsin, Payload: payload})
	}
	lines := timelineOf(&page.Request{Config: &page.Config{Config: &web.Config{}}}, events, nil)
	if lines[1].OfSeveral || !lines[3].OfSeveral {
		t.Errorf("the first recovery is of several alerts: %t, want false; the second: %t, want true", lines[1].OfSeveral, lines[3].OfSeveral)
	}
}
