package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// visit is a request of a person who is signed in.
type visit struct {
	user    *auth.User
	actor   auth.Actor
	picture *picture
	clock   element.Clock
	// counts are known once the frame is made, to those who see incidents.
	counts incident.Counts
	// mark is how far Live had heard before anything was read: layout.Frame.
	mark string
}

// may reports whether the person may do what depends on no object.
func (v *visit) may(action auth.Action) bool { return v.mayTo(action, auth.Object{}) }

func (v *visit) mayTo(action auth.Action, object auth.Object) bool {
	return auth.Allow(v.actor, action, object) == nil
}

// to lets those through to a page who may do the action that it stands for, and
// sends those who are not signed in to where they can be.
func (p *pages) to(action auth.Action, handle func(echo.Context, *visit) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		v, err := p.visit(c)
		if fault.Is(err, fault.KindUnauthorized) {
			return c.Redirect(http.StatusSeeOther, signInAddress(c.Request()))
		}
		if err != nil {
			return err
		}
		if err := auth.Allow(v.actor, action, auth.Object{}); err != nil {
			return err
		}
		return handle(c, v)
	}
}

func (p *pages) visit(c echo.Context) (*visit, error) {
	mark := p.Live.Mark()
	user, err := p.user(c)
	if err != nil {
		return nil, err
	}
	picture, err := p.picture(c)
	if err != nil {
		return nil, err
	}
	v := &visit{user: user, actor: user.Actor(), picture: picture, mark: mark}
	v.clock = p.clock(picture, user.Timezone)
	return v, nil
}

// clock is the reader's, in their own zone or the organisation's.
func (p *pages) clock(known *picture, zone string) element.Clock {
	if zone == "" {
		zone = known.Organization.Timezone
	}
	return element.Clock{Now: p.Now(), Zone: location(zone)}
}

// location is UTC for a zone that this machine does not know.
func location(zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// signInAddress remembers the page that was asked for, or that a form was on.
func signInAddress(r *http.Request) string {
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		next = ""
		if from, err := url.Parse(r.Referer()); err == nil {
			next = from.RequestURI()
		}
	}
	if next = local(next); next == "/" {
		return "/sign-in"
	}
	return "/sign-in?next=" + url.QueryEscape(next)
}

// local is an address within this installation, or "/" for any other. Browsers
// take a backslash for a slash and pass over control characters.
func local(address string) string {
	to, err := url.Parse(address)
	if err != nil || to.IsAbs() || to.Host != "" || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") ||
		strings.ContainsFunc(address, func(r rune) bool { return r == '\\' || r < ' ' }) {
		return "/"
	}
	return address
}

// frame is what surrounds a page. Here alone it is put together.
func (p *pages) frame(c echo.Context, v *visit, title string, section layout.Section) (layout.Frame, error) {
	f := layout.Frame{Title: title, Section: section, Clock: v.clock, Flash: p.flash(c), Banners: p.banners(v), Mark: v.mark}
	f.User = layout.User{
		Person: element.Person{ID: v.user.ID, Name: v.user.Name},
		Role:   string(v.user.Role),
		Sees: layout.Sees{
			Incidents: v.may(auth.ViewIncidents),
			Catalog:   v.may(auth.ViewCatalog),
			People:    v.may(auth.ViewPeople),
			Start:     v.picture.fresh() && v.may(auth.ViewIncidents),
		},
	}
	f.User.OnCall, f.User.OnCallUntil = v.picture.onCallUntil(v.user.ID, v.clock.Now)
	if f.User.Sees.Incidents {
		var err error
		if v.counts, err = p.Pages.Incidents.CountIncidents(c.Request().Context(), v.user.ID); err != nil {
			return f, err
		}
		f.User.Unanswered = v.counts.Unanswered
	}
	return f, nil
}

// banners say what holds back pages until somebody mends it.
func (p *pages) banners(v *visit) []layout.Banner {
	if p.Pages.OnlyLog {
		return []layout.Banner{{Kind: layout.Warning, Text: "Pages only reach the log until a channel is configured."}}
	}
	if !v.may(auth.ViewCatalog) {
		return nil
	}
	var dead []string
	for _, medium := range notify.Media {
		if !p.Works(medium) && v.picture.used[medium] {
			dead = append(dead, midSentence(medium))
		}
	}
	if dead == nil {
		return nil
	}
	return []layout.Banner{{Kind: layout.Warning,
		Text: "Not configured here: " + element.And(dead) + ". Pages to such contacts go to the person’s next one."}}
}

// midSentence names a medium within a sentence.
func midSentence(m notify.Medium) string {
	switch m {
	case notify.SMS:
		return "SMS"
	case notify.Slack:
		return "Slack"
	case notify.Voice:
		return "calls"
	}
	return string(m)
}

// onCallUntil is whether a person is on call now and until when, zero for no end
// in sight. Of several shifts the longest counts; shadows do not.
func (k *picture) onCallUntil(userID int64, now time.Time) (on bool, until time.Time) {
	for _, s := range k.Schedules {
		if !mentions(s.Schedule, oncall.Person(userID)) {
			continue
		}
		for _, shift := range s.Schedule.OnCall(now, "") {
			if int64(shift.Person) != userID || shift.Shadow {
				continue
			}
			if !on || shift.End.IsZero() || !until.IsZero() && shift.End.After(until) {
				until = shift.End
			}
			on = true
		}
	}
	return on, until
}

// mentions reports whether a schedule names a person at all, so that most
// schedules need not be computed for a page.
func mentions(s oncall.Schedule, person oncall.Person) bool {
	for _, v := range s.Versions {
		for _, l := range v.Layers {
			if slices.Contains(l.Members, person) || l.Held != nil && slices.Contains(l.Held.Members, person) {
				return true
			}
		}
		for _, shadow := range v.Shadows {
			if shadow.Person == person {
				return true
			}
		}
	}
	return slices.ContainsFunc(s.Overrides, func(o oncall.Override) bool { return o.In == person })
}

// idIn reads the id of a thing in the path; what is none leads nowhere.
func idIn(c echo.Context) (int64, error) {
	id, ok := parseNumber(c.Param("id"))
	if !ok {
		return 0, fault.NotFound("There is nothing at this address.")
	}
	return id, nil
}
