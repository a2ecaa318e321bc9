package oncall

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func TestLayerSentence(t *testing.T) {
	t.Parallel()
	p := fortnight(t, "Europe/Madrid", 2026, 11, 23)
	handoff := p.From.Add(9 * time.Hour)
	both, office := []element.Person{{Name: "Ana"}, {Name: "Ben"}}, []string{"Mon–Fri 09:00–17:00"}
	for want, l := range map[string]Layer{
		"Always Ana. Only Mon–Fri 09:00–17:00.":                                                          {Members: both[:1], Every: 1, Unit: "day", Restrictions: office},
		"Rotates weekly, Monday 09:00: Ana → Ben. Only Mon–Fri 09:00–17:00.":                             {Members: both, Every: 1, Unit: "week", Handoff: handoff, Restrictions: office},
		"Rotates daily: Ana → Ben. Only Mon–Fri 09:00–17:00; turns outside these hours are used up too.": {Members: both, Every: 1, Unit: "day", Restrictions: office},
		"Rotates daily, counting only covered periods: Ana → Ben. Only Mon–Fri 09:00–17:00.":             {Members: both, Every: 1, Unit: "day", Restrictions: office, CountsOnlyCovered: true},
		"Rotates daily: Ana → Ben.": {Members: both, Every: 1, Unit: "day", CountsOnlyCovered: true},
		"Rotates every 2 hours: Ana → Ben. Hours are elapsed hours, so the time of day of a handoff moves when clocks change.": {Members: both, Every: 2, Unit: "hour", Handoff: handoff},
	} {
		if got := l.sentence(p); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
