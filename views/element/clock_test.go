package element

import (
	"testing"
	"time"
)

func clock(t *testing.T, zone string) Clock {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return Clock{Now: time.Date(2026, 11, 23, 2, 12, 20, 0, time.UTC), Zone: z}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	c := clock(t, "Europe/Madrid")
	for _, test := range []struct {
		age  time.Duration
		want string
	}{
		{0, "just now"},
		{999 * time.Millisecond, "just now"},
		{-999 * time.Millisecond, "just now"},
		{-40 * time.Second, "just now"}, // it happened, whatever the clocks say
		{time.Second, "1 second ago"},
		{59*time.Second + 999*time.Millisecond, "59 seconds ago"},
		{time.Minute, "1 minute ago"},
		{12*time.Minute + 12*time.Second, "12 minutes ago"},
		{time.Hour, "1 hour ago"},
		{23*time.Hour + 59*time.Minute, "23 hours ago"},
		{24 * time.Hour, "1 day ago"},
		{14*24*time.Hour - time.Second, "13 days ago"},
		{14 * 24 * time.Hour, "9 Nov"},
		{400 * 24 * time.Hour, "19 Oct 2025"},
	} {
		if got := c.Ago(c.Now.Add(-test.age)); got != test.want {
			t.Errorf("%v ago is %q, want %q", test.age, got, test.want)
		}
	}
}

func TestAgoShort(t *testing.T) {
	t.Parallel()
	c := clock(t, "Europe/Madrid")
	for age, want := range map[time.Duration]string{
		-40 * time.Second: "now", 0: "now", 59 * time.Second: "59 s", time.Minute: "1 min", 59*time.Minute + 59*time.Second: "59 min",
		time.Hour: "1 h", 47 * time.Hour: "1 day", 49 * time.Hour: "2 days", 14 * 24 * time.Hour: "9 Nov",
	} {
		if got := c.AgoShort(c.Now.Add(-age)); got != want {
			t.Errorf("%v ago is %q, want %q", age, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{3.66: "3.7×", 6.1: "6.1×", 1: "1×", 0.04: "0×", 12.96: "13×"} {
		if got := Times(f); got != want {
			t.Errorf("%v is %q, want %q", f, got, want)
		}
	}
}

func TestAway(t *testing.T) {
	t.Parallel()
	c := clock(t, "Europe/Madrid")
	for away, want := range map[time.Duration]string{
		40 * time.Second:    "in 40 seconds",
		90 * time.Minute:    "in 1 hour",
		20 * 24 * time.Hour: "13 Dec",
		0:                   "just now",
		-2 * time.Minute:    "2 minutes ago",
	} {
		if got := c.Away(c.Now.Add(away)); got != want {
			t.Errorf("%v from now is %q, want %q", away, got, want)
		}
	}
}

func TestExactNamesAnotherDay(t *testing.T) {
	t.Parallel()
	c := clock(t, "Europe/Madrid") // it is Monday 23 November, 03:12 there
	for age, want := range map[time.Duration]string{
		time.Minute:          "03:11:20",
		4 * time.Hour:        "Sun 22 Nov 23:12:20",
		400 * 24 * time.Hour: "Sun 19 Oct 2025 04:12:20", // summer time
	} {
		if got := c.Exact(c.Now.Add(-age)); got != want {
			t.Errorf("%v ago is %q, want %q", age, got, want)
		}
	}
}

func TestWhenNamesDay(t *testing.T) {
	t.Parallel()
	c := clock(t, "Europe/Madrid") // it is Monday 23 November, 03:12 there
	for _, test := range []struct {
		at   time.Time
		want string
	}{
		{c.Now.Add(time.Hour), "04:12"},
		{c.Now.Add(-4 * time.Hour), "Sun 23:12"}, // yesterday there, though 22:12 in UTC
		{c.Now.Add(6 * 24 * time.Hour), "Sun 03:12"},
		{c.Now.Add(7 * 24 * time.Hour), "Mon 30 Nov 03:12"}, // not "Mon", which would be today
		{c.Now.Add(50 * 24 * time.Hour), "Tue 12 Jan 2027 03:12"},
	} {
		if got := c.When(test.at); got != test.want {
			t.Errorf("%v is %q, want %q", test.at, got, test.want)
		}
	}
}

func TestTimesInReadersZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 0, 8, 0, time.UTC)
	for zone, want := range map[string]string{
		"Europe/Madrid":     "Mon 23 Nov 2026, 03:00:08 CET (UTC+01:00)",
		"America/New_York":  "Sun 22 Nov 2026, 21:00:08 EST (UTC-05:00)",
		"Asia/Kathmandu":    "Mon 23 Nov 2026, 07:45:08 +0545 (UTC+05:45)",
		"America/Sao_Paulo": "Sun 22 Nov 2026, 23:00:08 -03 (UTC-03:00)",
	} {
		if got := clock(t, zone).Absolute(at); got != want {
			t.Errorf("in %s it is %q, want %q", zone, got, want)
		}
	}
	if got, want := clock(t, "Europe/Madrid").Second(at), "03:00:08"; got != want {
		t.Errorf("the time of day is %q, want %q", got, want)
	}
}

// On the morning of a change of clocks one wall-clock time occurs twice; the
// whole of a time must still tell them apart.
func TestRepeatedHour(t *testing.T) {
	t.Parallel()
	c := clock(t, "Europe/Madrid")
	first := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
	second := first.Add(time.Hour)
	if c.Minute(first) != c.Minute(second) {
		t.Fatalf("02:30 was meant to occur twice, got %s and %s", c.Minute(first), c.Minute(second))
	}
	if c.Absolute(first) == c.Absolute(second) {
		t.Errorf("both are %q", c.Absolute(first))
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                            "0 s",
		40 * time.Second:             "40 s",
		60 * time.Second:             "1 min",
		65 * time.Second:             "1 min 5 s",
		2*time.Hour + 30*time.Minute: "2 h 30 min",
		47 * time.Hour:               "47 h",
		72 * time.Hour:               "3 days",
		9*24*time.Hour + 3*time.Hour: "9 days 3 h",
		-22 * time.Minute:            "22 min",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{98.9: "98.9", 366: "366", 0: "0", 99.9996: "100", 4.25: "4.25", -0.0001: "0", -12: "-12"} {
		if got := Number(f); got != want {
			t.Errorf("%v is %q, want %q", f, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ana Ortiz": "AO", "dana levi": "DL", "Emre Yılmaz": "EY", "Cher": "C", "": "?", "  ": "?",
		"Ana María de la O": "AO", "Éva Ács": "ÉÁ", "李 明": "李明", "(ops) bot": "OB",
	} {
		if got := (Person{Name: name}).Initials(); got != want {
			t.Errorf("the initials of %q are %q, want %q", name, got, want)
		}
	}
}

func TestAnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		words []string
		want  string
	}{{nil, ""}, {[]string{"a"}, "a"}, {[]string{"a", "b"}, "a and b"}, {[]string{"a", "b", "c"}, "a, b and c"}} {
		if got := And(test.words); got != test.want {
			t.Errorf("And(%q) = %q, want %q", test.words, got, test.want)
		}
	}
}
