package incidents

import (
	"html"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func TestFactsOfAnSLAWhoseSenderPaused(t *testing.T) {
	t.Parallel()
	for now, want := range map[time.Time]string{
		night:                    "Observed availability 98.9 % SLA 99.5 % Error rate 3.7× the SLA allows Sender paused until 04:00",
		night.Add(2 * time.Hour): "Observed availability 98.9 % SLA 99.5 % Error rate 3.7× the SLA allows",
	} {
		f := Facts{SLA: true, SLI: "availability", Observed: new(98.9), Objective: new(99.5), BrokenBy: new(366.0), PausedUntil: night.Add(2 * time.Hour)}
		var b strings.Builder
		if err := FactsList(element.Clock{Now: now, Zone: time.UTC}, f).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		text := html.UnescapeString(tags.ReplaceAllString(b.String(), " "))
		text = strings.ReplaceAll(spaces.ReplaceAllString(text, " "), "\u00a0", " ")
		if got := strings.TrimSpace(text); got != want {
			t.Errorf("at %s: %q", now.Format(time.TimeOnly), got)
		}
	}
}
