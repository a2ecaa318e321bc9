package oncall_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// The oracle answers by walking: it looks at every zone's wall step by step,
// from before the first start on, counts handoffs as they come, and writes down
// who is on call at each step. It knows the rules and no arithmetic.

// walk is a stretch of time that the oracle looks at.
type walk struct {
	origin   time.Time // where it begins to watch the walls
	from, to time.Time // what it writes down
	step     time.Duration
}

// entry is somebody in a position for one step.
type entry struct {
	position oncall.Position
	person   oncall.Person
	source   string
	layer    string
	override int64
	shadow   bool
}

// record is what the oracle wrote down.
type record struct {
	walk
	pages   []page         // one whenever something is other than a step before
	matched map[int64]bool // overrides that acted
}

// page is what was so from start to end.
type page struct {
	start, end time.Time
	entries    []entry
	positions  []oncall.Position // that there are
	required   bool              // whether cover is
}

func watch(s oncall.Schedule, w walk) record {
	r := record{walk: w, matched: map[int64]bool{}}
	var versions [][]*watcher
	var covers []*watcher
	for _, v := range s.Versions {
		covers = append(covers, newWatcher(oncall.Layer{Restrictions: v.RequiredCover}, v))
		var watchers []*watcher
		for _, l := range v.Layers {
			watchers = append(watchers, newWatcher(l, v))
		}
		versions = append(versions, watchers)
	}
	for now := w.origin; now.Before(w.to); now = now.Add(w.step) {
		current := -1
		for i, v := range s.Versions {
			covers[i].look(now, w.step)
			for _, watcher := range versions[i] {
				watcher.look(now, w.step)
			}
			if !now.Before(v.Effective) {
				current = i
			}
		}
		if now.Before(w.from) {
			continue
		}
		var entries []entry
		var positions []oncall.Position
		required := false
		if current >= 0 {
			required = covers[current].open()
			positions = s.Versions[current].Positions
			for _, p := range positions {
				entries = append(entries, r.position(s, s.Versions[current], versions[current], p, now)...)
			}
		}
		r.write(page{now.UTC(), now.Add(w.step).UTC(), entries, positions, required})
	}
	return r
}

func (r *record) write(p page) {
	if n := len(r.pages); n > 0 && slices.Equal(r.pages[n-1].entries, p.entries) && slices.Equal(r.pages[n-1].positions, p.positions) && r.pages[n-1].required == p.required {
		r.pages[n-1].end = p.end
		return
	}
	r.pages = append(r.pages, p)
}

// page is the one written at an instant.
func (r record) page(at time.Time) int {
	return slices.IndexFunc(r.pages, func(p page) bool { return at.Before(p.end) })
}

// position is who has a position now.
func (r record) position(s oncall.Schedule, v oncall.Version, layers []*watcher, p oncall.Position, now time.Time) []entry {
	var chosen entry
	var choice oncall.Person
	for _, layer := range layers {
		person, of := layer.has(p, func(person oncall.Person) bool { return hasLeft(s, person, now) })
		if person != oncall.Nobody {
			chosen, choice = entry{position: p, person: person, source: "layer:" + layer.layer.Name, layer: layer.layer.Name}, of
		}
	}
	standIn, added := chosen, []entry(nil)
	for _, o := range s.Overrides {
		if o.Position != "" && o.Position != p || now.Before(o.From) || !now.Before(o.To) || hasLeft(s, o.In, now) {
			continue
		}
		on := entry{position: p, person: o.In, source: "override", override: o.ID}
		switch o.Kind {
		case oncall.Add:
			added = append(added, on)
			r.matched[o.ID] = true
		case oncall.Replace:
			if choice != 0 && (choice == o.Out || standIn.person == o.Out) {
				standIn = on
				standIn.layer = chosen.layer
				r.matched[o.ID] = true
			}
			for i := range added {
				if added[i].person == o.Out {
					added[i] = on
					r.matched[o.ID] = true
				}
			}
		case oncall.Remove:
			if standIn.person != 0 && (o.Out == 0 || standIn.person == o.Out) {
				standIn.person = 0
				r.matched[o.ID] = true
			}
			for i := range added {
				if added[i].person != 0 && (o.Out == 0 || added[i].person == o.Out) {
					added[i].person = 0
					r.matched[o.ID] = true
				}
			}
		}
	}
	var entries []entry
	seen := map[oncall.Person]bool{0: true}
	for _, e := range append([]entry{standIn}, added...) {
		if !seen[e.person] {
			seen[e.person] = true
			entries = append(entries, e)
		}
	}
	for _, shadow := range v.Shadows {
		if !hasLeft(s, shadow.Person, now) && (shadow.Position == "" || shadow.Position == p) &&
			(shadow.From.IsZero() || !now.Before(shadow.From)) && (shadow.To.IsZero() || now.Before(shadow.To)) {
			entries = append(entries, entry{position: p, person: shadow.Person, source: "shadow", shadow: true})
		}
	}
	return entries
}

// watcher watches the wall for one layer.
type watcher struct {
	layer     oncall.Layer
	positions []oncall.Position
	loc       *time.Location
	start     time.Time     // what the wall shows then, written as if it were UTC
	latest    time.Time     // the latest that the wall has shown so far, the same
	started   bool          // whether the wall has shown start or later
	handoffs  int           // so far
	turns     int           // that are over
	all       bool          // whether every period is a turn
	covered   bool          // whether the period has been open at a look
	elapsed   time.Duration // since the last handoff
}

func newWatcher(l oncall.Layer, v oncall.Version) *watcher {
	zone := l.Zone
	if zone == "" {
		zone = v.Zone
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	positions := l.Positions
	if len(positions) == 0 {
		positions = v.Positions
	}
	w := &watcher{layer: l, positions: positions, loc: loc, start: onPaper(l.Start)}
	w.all = !l.CountsOnlyCovered || w.alwaysOpen()
	return w
}

// alwaysOpen reports whether the restrictions exclude no minute of a week.
func (w *watcher) alwaysOpen() bool {
	open := w.open()
	for range 7 * 24 * 60 {
		w.latest = w.latest.Add(time.Minute)
		open = open && w.open()
	}
	w.latest = time.Time{}
	return open
}

func onPaper(w oncall.WallTime) time.Time {
	return time.Date(w.Year, w.Month, w.Day, 0, int(w.Clock), 0, 0, time.UTC)
}

// look takes note of what the wall shows now.
func (w *watcher) look(now time.Time, step time.Duration) {
	here := now.In(w.loc)
	wall := time.Date(here.Year(), here.Month(), here.Day(), here.Hour(), here.Minute(), 0, 0, time.UTC)
	if wall.After(w.latest) {
		w.latest = wall
	}
	switch {
	case !w.started:
		w.started = w.layer.Start.IsZero() || !w.latest.Before(w.start)
	case w.layer.Rotate == nil:
	case w.layer.Rotate.Unit == oncall.Hour:
		w.elapsed += step
		if w.elapsed == time.Duration(w.layer.Rotate.Every)*time.Hour {
			w.handOff()
			w.elapsed = 0
		}
	default:
		for !w.latest.Before(w.nextHandoff()) {
			w.handOff()
		}
	}
	w.covered = w.covered || !w.all && w.started && w.open()
}

func (w *watcher) handOff() {
	w.handoffs++
	if w.all || w.covered {
		w.turns++
	}
	w.covered = false
}

// nextHandoff is what the wall will show at the next one.
func (w *watcher) nextHandoff() time.Time {
	steps := (w.handoffs + 1) * w.layer.Rotate.Every
	switch w.layer.Rotate.Unit {
	case oncall.Day:
		return w.start.AddDate(0, 0, steps)
	case oncall.Week:
		return w.start.AddDate(0, 0, 7*steps)
	}
	wanted := w.start.AddDate(0, 0, 1-w.start.Day()).AddDate(0, steps, 0).Month()
	for day := w.start.Day(); ; day-- {
		tried := time.Date(w.start.Year(), w.start.Month()+time.Month(steps), day,
			w.start.Hour(), w.start.Minute(), 0, 0, time.UTC)
		if tried.Month() == wanted {
			return tried
		}
	}
}

func hasLeft(s oncall.Schedule, person oncall.Person, now time.Time) bool {
	at, ok := s.Left[person]
	return ok && !now.Before(at)
}

// has is whom the layer has in a position at the last look, and whose turn it is.
func (w *watcher) has(p oncall.Position, left func(oncall.Person) bool) (person, of oncall.Person) {
	place := slices.Index(w.positions, p)
	members, phase := w.layer.Members, w.layer.Phase
	if h := w.layer.Held; h != nil && w.handoffs < h.Before {
		members, phase = h.Members, h.Phase
	}
	if !w.started || place < 0 || place >= len(members) || !w.open() {
		return oncall.Nobody, oncall.Nobody
	}
	if of = members[(w.turns+place+phase)%len(members)]; !left(of) {
		of = oncall.Nobody
	}
	for i := range members {
		person = members[(w.turns+phase+i)%len(members)]
		if left(person) {
			continue
		}
		if place == 0 {
			if of == oncall.Nobody {
				of = person
			}
			return person, of
		}
		place--
	}
	return oncall.Nobody, oncall.Nobody
}

func (w *watcher) open() bool {
	today := time.Date(w.latest.Year(), w.latest.Month(), w.latest.Day(), 0, 0, 0, 0, time.UTC)
	for _, window := range w.layer.Restrictions {
		for _, day := range []time.Time{today.AddDate(0, 0, -1), today} {
			if len(window.Days) > 0 && !slices.Contains(window.Days, oncall.Weekday(day.Weekday())) {
				continue
			}
			from := day.Add(time.Duration(window.From) * time.Minute)
			to := day.Add(time.Duration(window.To) * time.Minute)
			if window.To <= window.From {
				to = to.AddDate(0, 0, 1)
			}
			if !w.latest.Before(from) && w.latest.Before(to) {
				return true
			}
		}
	}
	return len(w.layer.Restrictions) == 0
}

// shifts joins pages with equal entries.
func (r record) shifts() []oncall.Shift {
	var shifts []oncall.Shift
	open := map[entry]int{}
	for _, page := range r.pages {
		now := map[entry]int{}
		for _, e := range page.entries {
			at, ok := open[e]
			if !ok {
				at = len(shifts)
				shifts = append(shifts, oncall.Shift{Position: e.position, Person: e.person, Start: page.start,
					Source: e.source, Layer: e.layer, Override: e.override, Shadow: e.shadow})
			}
			shifts[at].End = page.end
			now[e] = at
		}
		open = now
	}
	return shifts
}

// gaps are the times in which a position has nobody, within required cover or outside.
func (r record) gaps(required bool) []oncall.Gap {
	var gaps []oncall.Gap
	open := map[oncall.Position]int{}
	for _, page := range r.pages {
		now := map[oncall.Position]int{}
		for _, p := range page.positions {
			if page.required != required || len(page.people(p)) > 0 {
				continue
			}
			at, ok := open[p]
			if !ok {
				at = len(gaps)
				gaps = append(gaps, oncall.Gap{Position: p, Start: page.start})
			}
			gaps[at].End = page.end
			now[p] = at
		}
		open = now
	}
	return gaps
}

// twice is who holds how many positions, where they are several.
func (p page) twice() map[oncall.Person]int {
	count := map[oncall.Person]int{}
	for _, e := range p.entries {
		if !e.shadow {
			count[e.person]++
		}
	}
	for person, n := range count {
		if n < 2 {
			delete(count, person)
		}
	}
	return count
}

// people are those on call in a position, in the order of their ids.
func (p page) people(position oncall.Position) []oncall.Person {
	var all []oncall.Person
	for _, e := range p.entries {
		if e.position == position && !e.shadow {
			all = append(all, e.person)
		}
	}
	slices.Sort(all)
	return all
}

// handover is the first page after an instant on which other people have a
// position.
func (r record) handover(at time.Time, p oncall.Position) (time.Time, bool) {
	i := r.page(at)
	for _, next := range r.pages[i+1:] {
		if !slices.Equal(r.pages[i].people(p), next.people(p)) {
			return next.start, true
		}
	}
	return time.Time{}, false
}

// canonical puts shifts in an order that does not depend on who made them.
func canonical(shifts []oncall.Shift) []oncall.Shift {
	slices.SortFunc(shifts, func(a, b oncall.Shift) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Position, b.Position), cmp.Compare(a.Person, b.Person),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Override, b.Override), a.End.Compare(b.End))
	})
	return shifts
}
