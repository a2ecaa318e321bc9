package layout

import (
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
		return "Times of this page in " + f.Elsewhere + ", elsewhere in yours, " + f.Clock.ZoneName()
	}
	return "Times in " + f.Clock.ZoneName()
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

// within tells which entry of the navigation a section belongs to.
func within(s, entry Section) bool {
	return s == entry || (s == Policies && entry == OnCall)
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
