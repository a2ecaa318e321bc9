package incidents

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

func TestNobodyPagedIsAlarming(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 2, 12, 0, 0, time.UTC)
	page := IncidentPage{Status: Triggered, CreatedAt: now.Add(-time.Minute), Frame: layout.Frame{Clock: element.Clock{Now: now, Zone: time.UTC}}}
	if !page.alarming() {
		t.Error("an incident that nobody is paged for alarms nobody")
	}
	for name, calm := range map[string]func(*IncidentPage){
		"acknowledged":      func(p *IncidentPage) { p.Status = Acknowledged },
		"just begun":        func(p *IncidentPage) { p.CreatedAt = now },
		"comes and goes":    func(p *IncidentPage) { p.FlappingSince = now },
		"asked for quiet":   func(p *IncidentPage) { p.MutedUntil = now.Add(time.Hour) },
		"waits for morning": func(p *IncidentPage) { p.Next = []Upcoming{{Kind: NextMorning}} },
		"somebody is paged": func(p *IncidentPage) { p.Paged = []Recipient{{State: Paging}} },
	} {
		p := page
		calm(&p)
		if p.alarming() {
			t.Errorf("%s: it alarms", name)
		}
	}
	unreachable := page
	unreachable.CreatedAt, unreachable.Next = now, []Upcoming{{Kind: NextTry, At: now.Add(time.Hour)}}
	if !unreachable.alarming() || nobodyPaged(unreachable) != "Nobody can be reached." {
		t.Error("an incident that can page nobody waits before it alarms")
	}
	page.Paged = []Recipient{{State: Paging, Shadow: true}, {State: Unreached}}
	if !page.alarming() {
		t.Error("a shadow is taken for somebody who answers")
	}
}
