package oncall

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// percent is a coordinate across the strip, for SVG.
func percent(fraction float64) string { return fmt.Sprintf("%.4f%%", fraction*100) }

// day is one column of a strip; left and width are fractions of it.
type day struct {
	left, width float64
	name        string
	today, off  bool
}

// fraction is where an instant lies between From and To.
func (p SchedulePage) fraction(t time.Time) float64 {
	whole := p.To.Sub(p.From)
	if whole <= 0 {
		return 0
	}
	return max(0, min(1, float64(t.Sub(p.From))/float64(whole)))
}

// days are the calendar days of the strip in the schedule's zone. A day of a
// change of clocks is as wide as its 23 or 25 hours.
func (p SchedulePage) days() []day {
	var days []day
	c := p.clock()
	for at := p.From.In(p.Zone); at.Before(p.To); {
		next := time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, p.Zone)
		if !next.After(at) { // a zone may skip midnight, or a whole day
			next = at.Add(24 * time.Hour)
		}
		left := p.fraction(at)
		days = append(days, day{
			left:  left,
			width: p.fraction(next) - left,
			name:  at.Format("Mon 2"),
			today: c.SameDay(at, c.Now),
			off:   at.Weekday() == time.Saturday || at.Weekday() == time.Sunday,
		})
		at = next
	}
	return days
}

// now is where the present lies in the strip, if it does.
func (p SchedulePage) now() (fraction float64, ok bool) {
	now := p.Frame.Clock.Now
	if now.Before(p.From) || !now.Before(p.To) {
		return 0, false
	}
	return p.fraction(now), true
}

// drawn is a block as it is painted.
type drawn struct {
	left, width   float64
	row           int
	hue           string
	text, title   string
	override, gap bool
	agreed        bool
}

// fill hatches a gap; the pattern is the page's own, which a stylesheet could
// not point to.
func (d drawn) fill() templ.Attributes {
	if !d.gap {
		return templ.Attributes{}
	}
	return templ.Attributes{"fill": "url(#hatch)"}
}

// Fractions of the strip below which a name does not fit.
const (
	fitsFirst  = 0.030
	fitsName   = 0.080
	fitsAgreed = 0.140
)

// notCovered is what a time outside required cover is called.
const notCovered = "Not covered by agreement"

func (p SchedulePage) blocks(l Lane) []drawn {
	var list []drawn
	var end time.Time
	for _, b := range l.Blocks {
		left := p.fraction(b.Start)
		d := drawn{
			left:     left,
			width:    p.fraction(b.End) - left,
			override: b.Override,
			gap:      b.Gap && !b.Agreed,
			agreed:   b.Agreed,
			title:    p.words(b),
		}
		if d.width <= 0 {
			continue
		}
		if b.Start.Before(end) { // several at once: a little lower
			d.row = 1
		}
		if b.End.After(end) {
			end = b.End
		}
		if !b.Gap {
			d.hue = fmt.Sprint(b.Person.Hue())
		}
		d.text = label(b, d.width)
		list = append(list, d)
	}
	return list
}

// label is as much as fits: the name, the first name, the initials, nothing.
func label(b Block, width float64) string {
	if b.Gap {
		long := "Nobody, " + element.Duration(b.End.Sub(b.Start))
		switch {
		case b.Agreed && width >= fitsAgreed:
			return notCovered
		case b.Agreed:
			return ""
		case width >= fitsName:
			return long
		case width >= fitsFirst:
			return element.Duration(b.End.Sub(b.Start))
		}
		return ""
	}
	name := b.Person.Name
	switch {
	case width >= fitsName && b.Override:
		return b.Person.First() + " (override)"
	case width >= fitsName:
		return name
	case width >= fitsFirst:
		return b.Person.First()
	}
	return ""
}

func (p SchedulePage) words(b Block) string {
	c := p.clock()
	who := b.Person.Name
	if b.Agreed {
		who = notCovered
	} else if b.Gap {
		who = "Nobody"
	}
	words := fmt.Sprintf("%s, %s to %s, %s", who, c.When(b.Start), c.When(b.End), element.Duration(b.End.Sub(b.Start)))
	if b.Override {
		words += ", an override"
	}
	return words
}

// read is a lane for those who hear it.
func (p SchedulePage) read(l Lane) string {
	words := make([]string, len(l.Blocks))
	for i, b := range l.Blocks {
		words[i] = p.words(b)
	}
	return l.Position + ": " + strings.Join(words, "; ")
}
