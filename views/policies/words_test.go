package policies

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func step(words string, timeout time.Duration) Step {
	return Step{Targets: []Target{{Words: words}}, Timeout: timeout}
}

// The worked example of the field: main 60 min, backup 120, everyone 240, the
// manager 60, three repeats.
func TestPolicyInWords(t *testing.T) {
	t.Parallel()
	p := Page{
		Steps:    []Step{step("main", time.Hour), step("backup", 2*time.Hour), step("everyone", 4*time.Hour), step("Dana", time.Hour)},
		Repeat:   3,
		Fallback: []Target{{Words: "Dana"}},
	}
	want := "Pages main; after 1 h without an acknowledgment, backup; after 2 h without an acknowledgment, everyone; after 4 h without an acknowledgment, Dana. The last step waits 1 h. Repeats 3 times. If nobody acknowledges, pages Dana."
	if got := p.sentence(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if p.run() != 8*time.Hour || p.allRuns() != 32*time.Hour {
		t.Errorf("a run takes %v and all of them %v, want 8 h and 32 h", p.run(), p.allRuns())
	}
	if got, want := inShort(p.Steps[:2], 0), "main (1 h) → backup (2 h)"; got != want {
		t.Errorf("in short it is %q, want %q", got, want)
	}
}

func TestPolicyWithoutFallback(t *testing.T) {
	t.Parallel()
	p := Page{Steps: []Step{step("main", time.Minute)}}
	if got, want := p.sentence(), "Pages main. The last step waits 1 min. If nobody acknowledges, pages the administrators."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBlockWidths(t *testing.T) {
	t.Parallel()
	p := Page{Steps: []Step{step("main", time.Minute), step("backup", 24*time.Hour)}}
	blocks := p.blocks()
	if blocks[0].width < minWidth/(1+minWidth) {
		t.Errorf("a minute beside a day is %v wide", blocks[0].width)
	}
	if end := blocks[1].left + blocks[1].width; end < 0.999999 || end > 1.000001 {
		t.Errorf("the blocks end at %v", end)
	}
	if got := (Page{}).blocks(); got != nil {
		t.Errorf("no steps draw %v", got)
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	s := step("main", time.Hour)
	s.TimeoutFor = []PriorityTimeout{{Priority: element.Priority{Level: 1, Name: "P1"}, Timeout: 5 * time.Minute}}
	if got, want := s.waits(), "Waits 1 h, 5 min for P1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
