package organization

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Duration is a length of time in whole seconds. Its text is like "90s", "5m",
// "1h30m", "1d" (24 hours) or "1w".
type Duration time.Duration

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var durationUnits = []struct {
	letter byte
	length time.Duration
}{{'w', week}, {'d', day}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// maxDuration is 100 years.
const maxDuration = 5_200 * week

// ParseDuration reads a length of time; larger units come first, each at most
// once.
func ParseDuration(s string) (Duration, error) {
	wrong := fmt.Errorf("%q is not a length of time such as 90s, 5m, 1h30m or 1d", s)
	var total time.Duration
	rest, unit := s, 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		if err != nil || digits == len(rest) {
			return 0, wrong
		}
		for unit < len(durationUnits) && durationUnits[unit].letter != rest[digits] {
			unit++
		}
		if unit == len(durationUnits) || time.Duration(n) > maxDuration/durationUnits[unit].length {
			return 0, wrong
		}
		total += time.Duration(n) * durationUnits[unit].length
		rest, unit = rest[digits+1:], unit+1
	}
	if s == "" || total > maxDuration {
		return 0, wrong
	}
	return Duration(total), nil
}

func (d Duration) String() string {
	var b strings.Builder
	rest := time.Duration(d)
	for _, unit := range durationUnits {
		if n := rest / unit.length; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, unit.letter)
			rest -= n * unit.length
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

func (d Duration) seconds() int64 { return int64(time.Duration(d) / time.Second) }

func inSeconds(n int64) Duration { return Duration(time.Duration(n) * time.Second) }

// Moment is an instant as people write it: a wall time in a zone that is known
// from elsewhere, "2026-12-24 09:00", or with an offset from UTC,
// "2026-12-24T09:00:00+01:00". The zero value is no moment.
type Moment struct {
	wall oncall.WallTime
	at   time.Time
}

// MomentIn is an instant, written with the offset of a zone.
func MomentIn(at time.Time, zone string) Moment {
	if at.IsZero() {
		return Moment{}
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return Moment{at: at.In(loc)}
}

// In is the instant, with a wall time taken in zone; zero for no moment.
func (m Moment) In(zone string) time.Time {
	if m.wall.IsZero() {
		if m.at.IsZero() {
			return time.Time{}
		}
		return m.at.UTC().Truncate(time.Microsecond)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return m.wall.In(loc)
}

// IsZero reports whether nothing is set.
func (m Moment) IsZero() bool { return m.wall.IsZero() && m.at.IsZero() }

func (m Moment) String() string {
	if m.at.IsZero() {
		return m.wall.String()
	}
	return m.at.Format(time.RFC3339Nano)
}

// MarshalText implements encoding.TextMarshaler.
func (m Moment) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Moment) UnmarshalText(text []byte) error {
	s := string(text)
	if wall, err := oncall.ParseWallTime(s); err == nil {
		*m = Moment{wall: wall}
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			*m = Moment{at: t}
			return nil
		}
	}
	return fmt.Errorf("%q is not a moment such as 2026-12-24 09:00 or 2026-12-24T09:00:00+01:00", s)
}

// slugForm is what a slug may look like: it stands in addresses and in
// commands.
var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

const maxSlug = 64

func isSlug(s string) bool { return len(s) <= maxSlug && slugForm.MatchString(s) }

// Slug makes a slug from a name: "Büro & Küche" is buro-kuche. It is empty where
// the name has no letter or digit that a slug may have.
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // an accent, split off its letter
		default:
			gap = true
		}
		if b.Len() >= maxSlug-1 {
			break
		}
	}
	return b.String()
}
