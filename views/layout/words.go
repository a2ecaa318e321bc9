package layout

import (
	"fmt"
	"time"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// stamp is the server's time as app.js reads it. It stands on what navigation
// swaps: a page's times count from the moment that the page was made.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// zoneWords say which zone times are in.
func (f Frame) zoneWords() string {
	if f.Elsewhere != "" && f.Elsewhere != f.Clock.ZoneName() {
		return "Times on this page are in " + f.Elsewhere + "; your zone is " + f.Clock.ZoneName()
	}
	return "Times in " + f.Clock.ZoneName()
}

// title is the page's title in the browser. A page that follows the list of
// incidents has the count of those that nobody has acknowledged, for screens that
// show nothing else of it.
func (f Frame) title(live Live) string {
	if live == "list" && f.User.Unanswered > 0 {
		return fmt.Sprintf("(%s) %s", Count(f.User.Unanswered), f.Title)
	}
	return f.Title
}

// duty says whether the person is on call: "on call until Mon 09:00".
func (u User) duty(c element.Clock) string {
	switch {
	case !u.OnCall:
		return "not on call"
	case u.OnCallUntil.IsZero():
		return "on call"
	}
	return "on call until " + c.When(u.OnCallUntil)
}

func (f *Flash) undoLabel() string {
	if f.UndoLabel != "" {
		return f.UndoLabel
	}
	return "Undo"
}

// Undo lapses where something else takes its place: app.js.
func (f *Flash) undoAttributes() templ.Attributes {
	if f.Later == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{"data-lapses": "10"}
}

func (f *Flash) laterAttributes() templ.Attributes {
	if f.Undo == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{"data-later": true, "hidden": true}
}

// currentGroup marks a group as the page's own, or as the one that the page is
// below.
func (f Frame) currentGroup(g group) templ.Attributes {
	if g.entries[0].id == f.Section {
		return current(true, "page")
	}
	return current(g.has(f.Section), "true")
}

// maxCount bounds the count in the navigation, where a long number has no room.
const maxCount = 999

// Count is a number of incidents: "999+" beyond that many.
func Count(n int) string {
	if n > maxCount {
		return fmt.Sprintf("%d+", maxCount)
	}
	return fmt.Sprint(n)
}

// Current marks the entry of a navigation that is shown.
func Current(here bool) templ.Attributes { return current(here, "page") }

func current(here bool, value string) templ.Attributes {
	if !here {
		return templ.Attributes{}
	}
	return templ.Attributes{"aria-current": value}
}

func bannerIcon(k BannerKind) string {
	switch k {
	case Failing:
		return "circle-alert"
	case Warning:
		return "triangle-alert"
	}
	return "info"
}
