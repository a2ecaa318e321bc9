package simulate

import (
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
)

// round is the entries from one page of the fallback, or of the administrators, to
// the next. While nobody acknowledges, the rounds repeat.
type round struct {
	at      time.Time
	calls   bool // it begins so: what comes before the first call does not
	entries []Entry
}

// rounds splits a timeline where the fallback or the administrators are paged or passed
// over. The entries before are the first round.
func rounds(entries []Entry) []round {
	var all []round
	for _, e := range entries {
		begins := (e.Kind == Fired || e.Kind == PassedOver) && e.Place.Phase != escalation.PhaseSteps
		if n := len(all); n == 0 || begins && !(all[n-1].calls && e.At.Equal(all[n-1].at)) {
			all = append(all, round{at: e.At, calls: begins})
		}
		last := &all[len(all)-1]
		last.entries = append(last.entries, e)
	}
	return all
}

// minFolded is the minimum number of repeated rounds that are printed as one line.
const minFolded = 2

// alike counts the rounds after the first of rest that repeat it at equal intervals.
// The
// last one may be incomplete at the end of the timeline.
func (p *printer) alike(rest []round) int {
	if len(rest) < 2 {
		return 0
	}
	n, every := 0, rest[1].at.Sub(rest[0].at)
	shape := p.shape(rest[0])
	for i := 1; i < len(rest) && rest[i].at.Sub(rest[i-1].at) == every; i++ {
		if !repeats(shape, p.shape(rest[i]), i == len(rest)-1) {
			break
		}
		n++
	}
	return n
}

// repeats compares two rounds. The last round of a timeline may be incomplete, as may
// its repeated messages.
func repeats(whole, part []shaped, last bool) bool {
	if len(part) > len(whole) || len(part) < len(whole) && !last {
		return false
	}
	for i, s := range part {
		cut := last && s.words == whole[i].words && s.after == whole[i].after && s.times <= whole[i].times
		if s != whole[i] && !cut {
			return false
		}
	}
	return true
}

// shaped is an entry with a relative time, for comparison.
type shaped struct {
	after time.Duration // since its round began
	words string
	times int
}

func (p *printer) shape(r round) []shaped {
	all := make([]shaped, len(r.entries))
	for i, e := range r.entries {
		all[i] = shaped{after: e.At.Sub(r.at), words: string(e.Kind)}
		switch {
		case e.Message != nil:
			m := *e.Message
			all[i].times, m.Times = m.Times, 0
			all[i].words += p.messageSentence(e.Person, &m)
		case e.Place != nil:
			all[i].words += p.placeSentence(e.Kind, e.Place)
		default: // actions of people are never folded
			all[i].words += e.At.String()
		}
	}
	return all
}

// again prints n rounds that repeat the one before as one line; endless says that the
// timeline was cut during the repeats.
func (p *printer) again(repeated []round, every time.Duration, endless bool) {
	words := short(every)
	if every == time.Hour {
		words = "hour"
	}
	until := "until somebody acknowledges"
	if !endless {
		until = fmt.Sprintf("%d times until %s", len(repeated), repeated[len(repeated)-1].at.In(p.zone).Format("Mon 15:04"))
	}
	p.line(repeated[0].at, "", "The same again every "+words+", "+until+".")
}
