package catalog_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

func TestNextOpen(t *testing.T) {
	t.Parallel()
	office := catalog.Hours{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00"}
	night := catalog.Hours{Days: []string{"fri"}, From: "22:00", To: "06:00"}
	jump := catalog.Hours{Days: []string{"sun"}, From: "02:30", To: "12:00"}
	for name, c := range map[string]struct {
		hours    catalog.Hours
		zone     string
		at, want string
	}{
		"before they begin":           {office, "Europe/Berlin", "2026-11-23T05:00:00Z", "2026-11-23T08:00:00Z"},
		"while they last":             {office, "Europe/Berlin", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"},
		"their end is outside":        {office, "Europe/Berlin", "2026-11-23T16:00:00Z", "2026-11-24T08:00:00Z"},
		"over the weekend":            {office, "Europe/Berlin", "2026-11-27T20:00:00Z", "2026-11-30T08:00:00Z"},
		"over a change of clocks":     {office, "Europe/Berlin", "2026-03-27T20:00:00Z", "2026-03-30T07:00:00Z"},
		"in the window of yesterday":  {night, "UTC", "2026-11-28T05:00:00Z", "2026-11-28T05:00:00Z"},
		"after the window's morning":  {night, "UTC", "2026-11-28T06:00:00Z", "2026-12-04T22:00:00Z"},
		"a beginning that is skipped": {jump, "Europe/Berlin", "2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z"},
		"no days never wait":          {catalog.Hours{From: "09:00", To: "17:00"}, "UTC", "2026-11-23T05:00:00Z", "2026-11-23T05:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, _ := time.Parse(time.RFC3339, c.at)
			if got := c.hours.NextOpen(at, c.zone).UTC().Format(time.RFC3339); got != c.want {
				t.Errorf("NextOpen(%s) = %s, want %s", c.at, got, c.want)
			}
		})
	}
}
