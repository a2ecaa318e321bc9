// Package oncall has the pages about who is on call, now and by schedule.
package oncall

import (
	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

type handlers struct{ *page.Pages }

// Mount adds the pages.
func Mount(pages *page.Pages) {
	p := &handlers{pages}
	p.Routes.Get("/oncall", p.Require(auth.ViewOnCall, p.onCallNow))
	p.Routes.Get("/schedules", p.Require(auth.ViewSchedules, p.listSchedules))
	p.Routes.Get("/schedules/:slug", p.Require(auth.ViewSchedules, p.showSchedule))
}
