package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// weekdays as the configuration writes them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// NextOpen is the first instant from at on that lies in the hours: at itself
// while they last. zone serves hours that name none. A window that ends at or
// before its beginning runs into the next day, and belongs to the day it starts
// on. Hours without a day never open: the answer is then at itself, since a
// page must not wait for ever.
func (h Hours) NextOpen(at time.Time, zone string) time.Time {
	loc := h.location(zone)
	local := at.In(loc)
	for day := -1; day <= 8; day++ {
		y, m, d := local.AddDate(0, 0, day).Date()
		date := time.Date(y, m, d, 12, 0, 0, 0, loc)
		if !slices.Contains(h.Days, weekdays[date.Weekday()]) {
			continue
		}
		from, to := clockOn(y, m, d, h.From, loc), clockOn(y, m, d, h.To, loc)
		if !to.After(from) {
			to = clockOn(y, m, d+1, h.To, loc)
		}
		switch {
		case at.Before(from):
			return from.UTC()
		case at.Before(to):
			return at
		}
	}
	return at
}

func (h Hours) location(zone string) *time.Location {
	if h.Timezone != "" {
		zone = h.Timezone
	}
	loc, err := time.LoadLocation(zone)
	if err != nil { // validated when it was configured
		return time.UTC
	}
	return loc
}

// clockOn is a wall-clock time on a day. One that the day skips means the first
// instant after the jump.
func clockOn(y int, m time.Month, d int, clock string, loc *time.Location) time.Time {
	var hour, minute int
	_, _ = fmt.Sscanf(clock, "%d:%d", &hour, &minute)
	t := time.Date(y, m, d, hour, minute, 0, 0, loc)
	if hour < 24 && (t.Hour() != hour || t.Minute() != minute) {
		// The clock in force before the jump would have shown the time at an
		// instant after it, which lies in the zone's new offset; that begins
		// with the jump.
		_, offset := t.Add(-3 * time.Hour).Zone()
		beyond := time.Date(y, m, d, hour, minute, 0, 0, time.UTC).Add(-time.Duration(offset) * time.Second)
		jump, _ := beyond.In(loc).ZoneBounds()
		return jump
	}
	return t
}

// Validate says what is wrong with hours, or nothing.
func (h Hours) Validate() string {
	for _, d := range h.Days {
		if !slices.Contains(weekdays, d) {
			return fmt.Sprintf("%q is no day: write mon, tue, wed, thu, fri, sat or sun.", d)
		}
	}
	if len(h.Days) == 0 {
		return "At least one day is needed."
	}
	for _, clock := range []string{h.From, h.To} {
		if _, err := time.Parse("15:04", strings.Replace(clock, "24:00", "00:00", 1)); err != nil {
			return fmt.Sprintf("%q is no time of day: write 09:00.", clock)
		}
	}
	if h.Timezone != "" {
		if _, err := time.LoadLocation(h.Timezone); err != nil {
			return fmt.Sprintf("%q is no time zone: write one such as Europe/Berlin.", h.Timezone)
		}
	}
	return ""
}
