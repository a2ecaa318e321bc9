package element

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// In is an instant on the reader's wall.
func (c Clock) In(t time.Time) time.Time { return t.In(c.Zone) }

// Ago says how long ago something happened: "12 minutes ago". From two weeks on
// it is a date. What bears a later time than the reader's clock, since clocks
// differ a little, happened just now. app.js says the same as time goes on.
func (c Clock) Ago(t time.Time) string {
	if t.After(c.Now) {
		return "just now"
	}
	return c.Away(t)
}

// Away says how far away an instant is that may yet come: "in 40 seconds". One
// that has passed is told of as Ago does.
func (c Clock) Away(t time.Time) string {
	d := c.Now.Sub(t)
	if d.Abs() < time.Second {
		return "just now"
	}
	if d.Abs() >= 14*24*time.Hour {
		return c.Date(t)
	}
	words := distance(d.Abs())
	if d < 0 {
		return "in " + words
	}
	return words + " ago"
}

// distance is one number with its unit, cut rather than rounded.
func distance(d time.Duration) string {
	switch {
	case d < time.Minute:
		return count(int64(d/time.Second), "second")
	case d < time.Hour:
		return count(int64(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return count(int64(d/time.Hour), "hour")
	}
	return count(int64(d/(24*time.Hour)), "day")
}

// AgoShort is Ago for a narrow column: "12 min", "3 h", "now". From two weeks on it
// is a date. app.js says the same as time goes on.
func (c Clock) AgoShort(t time.Time) string {
	d := c.Now.Sub(t)
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d < 14*24*time.Hour:
		return count(int64(d/(24*time.Hour)), "day")
	}
	return c.Date(t)
}

// Absolute leaves nothing open: "Mon 23 Nov 2026, 03:00:08 CET (UTC+01:00)".
func (c Clock) Absolute(t time.Time) string {
	return c.In(t).Format("Mon 2 Jan 2006, 15:04:05 MST (UTC-07:00)")
}

// Second is the time of day to the second: "03:00:08".
func (c Clock) Second(t time.Time) string { return c.In(t).Format("15:04:05") }

// Exact is a time to the second without doubt about the day: "03:00:08" today,
// else "Mon 23 Nov 03:00:08".
func (c Clock) Exact(t time.Time) string {
	if c.SameDay(t, c.Now) {
		return c.Second(t)
	}
	return c.Day(t) + " " + c.Second(t)
}

// Minute is the time of day: "03:00".
func (c Clock) Minute(t time.Time) string { return c.In(t).Format("15:04") }

// Date is a day: "23 Nov", with the year where it is another one.
func (c Clock) Date(t time.Time) string {
	if c.In(t).Year() != c.In(c.Now).Year() {
		return c.In(t).Format("2 Jan 2006")
	}
	return c.In(t).Format("2 Jan")
}

// Day is a day with its weekday: "Mon 23 Nov".
func (c Clock) Day(t time.Time) string { return c.In(t).Format("Mon ") + c.Date(t) }

// When is a wall-clock time as short as it can be without doubt: "17:00" today,
// "Mon 09:00" within six days, else "Mon 7 Dec 09:00".
func (c Clock) When(t time.Time) string {
	now, at := c.In(c.Now), c.In(t)
	days := dayNumber(at) - dayNumber(now)
	switch {
	case days == 0:
		return at.Format("15:04")
	case days > -7 && days < 7:
		return at.Format("Mon 15:04")
	}
	return c.Day(t) + at.Format(" 15:04")
}

// SameDay reports whether two instants fall on one day of the reader's wall.
func (c Clock) SameDay(a, b time.Time) bool {
	return dayNumber(c.In(a)) == dayNumber(c.In(b))
}

func dayNumber(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ZoneName names the reader's zone: "Europe/Madrid (CET)".
func (c Clock) ZoneName() string {
	name, abbreviation := c.Zone.String(), c.In(c.Now).Format("MST")
	if name == abbreviation {
		return name
	}
	return name + " (" + abbreviation + ")"
}

// Duration says how long, with at most two units: "47 h", "2 h 30 min", "9 days
// 3 h", "40 s". Less than a second is "0 s".
func Duration(d time.Duration) string {
	d = d.Abs()
	days, hours := int64(d/(24*time.Hour)), int64(d%(24*time.Hour)/time.Hour)
	minutes, seconds := int64(d%time.Hour/time.Minute), int64(d%time.Minute/time.Second)
	switch {
	case d >= 3*24*time.Hour:
		return join(count(days, "day"), part(hours, "h"))
	case d >= time.Hour: // up to three days in hours, as one speaks of nights and weekends
		return join(part(days*24+hours, "h"), part(minutes, "min"))
	case d >= time.Minute:
		return join(part(minutes, "min"), part(seconds, "s"))
	}
	return fmt.Sprintf("%d s", seconds)
}

func part(n int64, unit string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, unit)
}

func join(a, b string) string { return strings.TrimSpace(a + " " + b) }

func count(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	if singular, ok := strings.CutSuffix(unit, "person"); ok {
		return fmt.Sprintf("%d %speople", n, singular)
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// Count is a number with its noun: "1 service", "3 services", "2 people".
func Count[N int | int64](n N, noun string) string { return count(int64(n), noun) }

// Percent is a percentage without needless zeros: "98.9 %", "366 %".
func Percent(f float64) string { return Number(f) + "\u00a0%" }

// Number has up to three decimals, without needless zeros: "4.2".
func Number(f float64) string {
	s := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", f), "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// Times is a factor with one decimal, which is left out where it is 0: "3.7×", "6×".
func Times(f float64) string { return Number(math.Round(f*10)/10) + "×" }

// Names is a list of people as one writes it: "Ana Ortiz, Ben Adeyemi and
// Chiara Conti".
func Names(people []Person) string {
	names := make([]string, len(people))
	for i, p := range people {
		names[i] = p.Name
	}
	return And(names)
}

// And joins words as one writes them: "main, backup and shadow".
func And(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
