package oncall

import (
	"math"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func fortnight(t *testing.T, zone string, year int, month time.Month, day int) SchedulePage {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	p := SchedulePage{Zone: z, From: time.Date(year, month, day, 0, 0, 0, 0, z), To: time.Date(year, month, day+14, 0, 0, 0, 0, z)}
	p.Frame.Clock = element.Clock{Now: p.From, Zone: time.UTC}
	return p
}

// Every day of the strip is as wide as it is long, and together they fill it:
// over days of 23 and 25 hours, a zone whose midnight is skipped, and one that
// left out a whole day.
func TestDaysFillStrip(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		page SchedulePage
		days int
		odd  float64 // hours of the day that is not 24 long
	}{
		{fortnight(t, "Europe/Madrid", 2026, 11, 23), 14, 24},
		{fortnight(t, "Europe/Madrid", 2026, 10, 19), 14, 25},
		{fortnight(t, "Europe/Madrid", 2026, 3, 23), 14, 23},
		{fortnight(t, "America/Santiago", 2026, 8, 31), 14, 23}, // 6 September begins at 01:00
		{fortnight(t, "Australia/Lord_Howe", 2026, 9, 28), 14, 23.5},
		{fortnight(t, "Pacific/Apia", 2011, 12, 23), 13, 24}, // no 30 December
	} {
		days := test.page.days()
		if len(days) != test.days {
			t.Errorf("%s: %d days, want %d", test.page.Zone, len(days), test.days)
		}
		hours := test.page.To.Sub(test.page.From).Hours()
		var at float64
		odd := 24.0
		for _, d := range days {
			if math.Abs(d.left-at) > 1e-9 {
				t.Errorf("%s: %s begins at %v, want %v", test.page.Zone, d.name, d.left, at)
			}
			at += d.width
			if long := d.width * hours; math.Abs(long-24) > 1e-6 {
				odd = long
			}
		}
		if math.Abs(at-1) > 1e-9 {
			t.Errorf("%s: the days fill %v of the strip", test.page.Zone, at)
		}
		if math.Abs(odd-test.odd) > 1e-6 {
			t.Errorf("%s: the odd day has %v hours, want %v", test.page.Zone, odd, test.odd)
		}
	}
}

func TestBlocksAreClipped(t *testing.T) {
	t.Parallel()
	p := fortnight(t, "Europe/Madrid", 2026, 11, 23)
	ana := element.Person{ID: 1, Name: "Ana Ortiz"}
	blocks := p.blocks(Lane{Position: "main", Blocks: []Block{
		{Person: ana, Start: p.From.AddDate(0, 0, -3), End: p.From.AddDate(0, 0, 7)},
		{Gap: true, Start: p.From.AddDate(0, 0, 7), End: p.From.AddDate(0, 0, 7).Add(47 * time.Hour)},
		{Person: ana, Start: p.To, End: p.To.AddDate(0, 0, 1)},
	}})
	if len(blocks) != 2 {
		t.Fatalf("%d blocks are drawn, want 2: what lies outside is left out", len(blocks))
	}
	if blocks[0].left != 0 || blocks[0].width != 0.5 {
		t.Errorf("the first is at %v, %v wide, want 0 and 0.5", blocks[0].left, blocks[0].width)
	}
	if blocks[0].text != "Ana Ortiz" || blocks[1].text != "Nobody, 47 h" {
		t.Errorf("they say %q and %q", blocks[0].text, blocks[1].text)
	}
}

func TestOverlappingBlocksHaveOwnRows(t *testing.T) {
	t.Parallel()
	p := fortnight(t, "Europe/Madrid", 2026, 11, 23)
	both := []Block{{Person: element.Person{ID: 1}, Start: p.From, End: p.To}, {Person: element.Person{ID: 2}, Start: p.From.Add(time.Hour), End: p.To}}
	if blocks := p.blocks(Lane{Blocks: both}); blocks[0].row == blocks[1].row {
		t.Error("the one who was added hides whoever was there")
	}
}

func TestOnCallSentence(t *testing.T) {
	t.Parallel()
	p := fortnight(t, "Europe/Madrid", 2026, 11, 23)
	p.Positions = []Position{
		{Name: "main", Now: []Holder{{Person: element.Person{Name: "Ana"}, Until: p.From.Add(9 * time.Hour)}, {Person: element.Person{Name: "Emre"}, Shadow: true}}},
		{Name: "backup"},
	}
	if got, want := p.sentence(), "Ana is main until 09:00 and nobody is backup."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
