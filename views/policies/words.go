package policies

import (
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func words(targets []Target) string {
	list := make([]string, len(targets))
	for i, t := range targets {
		list[i] = t.Words
	}
	return element.And(list)
}

// inShort is a policy in a line: "main on call in Payments (1 h) → backup on
// call in Payments (2 h), 4 runs".
func inShort(steps []Step, repeat int) string {
	parts := make([]string, len(steps))
	for i, s := range steps {
		parts[i] = fmt.Sprintf("%s (%s)", words(s.Targets), element.Duration(s.Timeout))
	}
	line := strings.Join(parts, " → ")
	if repeat > 0 {
		line += fmt.Sprintf(", %d runs", repeat+1)
	}
	return line
}

// sentence is the policy in words.
func (p Page) sentence() string {
	if len(p.Steps) == 0 {
		return "It has no steps."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Pages %s", words(p.Steps[0].Targets))
	for i, s := range p.Steps[1:] {
		fmt.Fprintf(&b, "; after %s without an acknowledgment, %s", element.Duration(p.Steps[i].Timeout), words(s.Targets))
	}
	fmt.Fprintf(&b, ". The last step waits %s. ", element.Duration(p.Steps[len(p.Steps)-1].Timeout))
	if p.Repeat > 0 {
		b.WriteString(p.repeats() + ". ")
	}
	if len(p.Fallback) > 0 {
		fmt.Fprintf(&b, "If nobody acknowledges, pages %s.", words(p.Fallback))
	} else {
		b.WriteString("If nobody acknowledges, pages the administrators.")
	}
	return b.String()
}

// repeats says how often the steps are run again.
func (p Page) repeats() string {
	if p.Repeat == 1 {
		return "Repeats once"
	}
	return fmt.Sprintf("Repeats %d times", p.Repeat)
}

// afterExhausted is what follows an exhausted policy, which nobody can turn off.
func (p Page) afterExhausted() string {
	if len(p.Fallback) == 0 {
		return "Pages them again every hour until somebody acknowledges."
	}
	return "Pages the administrators after 15 minutes without an acknowledgment. Pages the fallback again every hour until somebody acknowledges."
}

// run is how long one run of the chain takes.
func (p Page) run() time.Duration { return p.start(len(p.Steps)) }

// allRuns is how long all runs take.
func (p Page) allRuns() time.Duration { return p.run() * time.Duration(p.Repeat+1) }

// start is when step i fires, counted from the signal.
func (p Page) start(i int) time.Duration {
	var at time.Duration
	for _, s := range p.Steps[:i] {
		at += s.Timeout
	}
	return at
}

func after(d time.Duration) string {
	if d == 0 {
		return "at once"
	}
	return "after " + element.Duration(d)
}

// waits is how long a step waits: "Waits 1 h, 5 min for P1".
func (s Step) waits() string {
	words := "Waits " + element.Duration(s.Timeout)
	for _, t := range s.TimeoutFor {
		words += fmt.Sprintf(", %s for %s", element.Duration(t.Timeout), t.Priority.Name)
	}
	return words
}

// itself reports whether the target is the one person that it stands for.
func (t Target) itself() bool { return len(t.Now) == 1 && t.Now[0].Name == t.Words }

func unreachable(t Target) string {
	if t.Unreachable == len(t.Now) && len(t.Now) == 1 {
		return "cannot be paged: no verified contact on a working channel"
	}
	return fmt.Sprintf("%d cannot be paged: no verified contact on a working channel", t.Unreachable)
}

// block is one step in the time line.
type block struct {
	left, width     float64
	text, at, title string
	shade           string
	// end is the end of the run, of the last step alone.
	end string
}

// minEndWidth is the share of a phone's width from which there is room for a second
// time below a step.
const minEndWidth = 0.42

// endOn is the narrowest screen that has room for the end of the run.
func (b block) endOn() string {
	if b.width < minEndWidth {
		return "wide"
	}
	return "phone"
}

// maxPhoneSteps is how many steps can be told apart in the width of a phone, which shows
// the list of steps alone if there are more.
const maxPhoneSteps = 4

// minWidth keeps a short step readable beside a long one.
const minWidth = 0.18

// blocks share the width by timeout, none narrower than minWidth.
func (p Page) blocks() []block {
	run := p.run()
	if run <= 0 {
		return nil
	}
	widths := make([]float64, len(p.Steps))
	var sum float64
	for i, s := range p.Steps {
		widths[i] = max(minWidth, float64(s.Timeout)/float64(run))
		sum += widths[i]
	}
	blocks := make([]block, len(p.Steps))
	var left float64
	for i, s := range p.Steps {
		blocks[i] = block{
			left:  left / sum,
			width: widths[i] / sum,
			text:  words(s.Targets),
			at:    clockAt(p.start(i)),
			title: fmt.Sprintf("%s: %s, waits %s", after(p.start(i)), words(s.Targets), element.Duration(s.Timeout)),
			shade: fmt.Sprint(i % 4),
		}
		left += widths[i]
	}
	if last := len(blocks) - 1; last >= 0 {
		blocks[last].end = clockAt(run)
	}
	return blocks
}

func clockAt(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return "+ " + element.Duration(d)
}

func (p Page) read() string {
	parts := make([]string, 0, len(p.Steps))
	for _, b := range p.blocks() {
		parts = append(parts, b.title)
	}
	return strings.Join(parts, "; ")
}

func percent(fraction float64) string { return fmt.Sprintf("%.4f%%", fraction*100) }
