// Package oncall has the pages about who is on call, now and by schedule.
package oncall

import (
	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

// Deps is what the pages need. All are required.
type Deps struct {
	Editor web.Editor
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the pages.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/oncall", p.Require(auth.ViewOnCall, p.onCallNow))
	p.Routes.Get("/schedules", p.Require(auth.ViewSchedules, p.listSchedules))
	p.Routes.Get("/schedules/:slug", p.Require(auth.ViewSchedules, p.showSchedule))
	p.Routes.Post("/schedules/:slug/overrides/:id/end", p.Require(auth.ViewSchedules, p.endOverride))
}
