package db

import (
	"testing"
	"time"
)

var three = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func TestClockIsMonotonic(t *testing.T) {
	t.Parallel()
	var c clock
	c.measured(three, three.Add(10*time.Millisecond), three)
	due := c.read(three)
	if want := three.Add(10 * time.Millisecond); !due.Equal(want) {
		t.Fatalf("it is %v, want %v", due, want)
	}
	c.measured(three, three.Add(4*time.Millisecond), three)
	for _, passed := range []time.Duration{0, time.Millisecond, 6 * time.Millisecond, 7 * time.Millisecond} {
		now := c.read(three.Add(passed))
		if now.Before(due) {
			t.Errorf("%v later it is %v, and what was due at %v is not", passed, now, due)
		}
		if want := three.Add(4*time.Millisecond + passed); now.Before(want) || passed > 6*time.Millisecond && !now.Equal(want) {
			t.Errorf("%v later it is %v, want %v", passed, now, want)
		}
	}
}

func TestClockReturnsNoInstantTwice(t *testing.T) {
	t.Parallel()
	var c clock
	for last := c.read(three); ; {
		now := c.read(three)
		if now.Sub(last) < time.Microsecond {
			t.Fatalf("after %v it is %v", last, now)
		}
		if last = now; now.After(three.Add(10 * time.Microsecond)) {
			return
		}
	}
}

// TestStepBackKeepsDueTimes sets the database's clock back by two hours while something
// is due in half a minute.
func TestStepBackKeepsDueTimes(t *testing.T) {
	t.Parallel()
	var c clock
	c.measured(three, three.Add(2*time.Hour), three)
	due := c.read(three).Add(30 * time.Second)
	c.measured(three, three, three)
	if now := c.read(three.Add(29 * time.Second)); !now.Before(due) {
		t.Errorf("after 29 s it is %v, and what is due at %v fires early", now, due)
	}
	if now := c.read(three.Add(34 * time.Second)); now.Before(due) {
		t.Errorf("after 34 s it is %v, and what was due at %v is not", now, due)
	}
	if want := (clockStep{at: three.Add(29 * time.Second), by: -2 * time.Hour}); c.step != want {
		t.Errorf("the step is %+v, want %+v", c.step, want)
	}
	for passed := time.Minute; passed < 21*time.Hour; passed += time.Minute {
		c.read(three.Add(passed))
	}
	if now := c.read(three.Add(21 * time.Hour)); !now.Equal(three.Add(21 * time.Hour)) {
		t.Errorf("21 hours later it is %v", now)
	}
}

func TestStepForwardIsReported(t *testing.T) {
	t.Parallel()
	var c clock
	c.measured(three, three, three)
	c.read(three)
	c.measured(three, three.Add(time.Hour), three)
	if now := c.read(three.Add(time.Minute)); !now.Equal(three.Add(time.Hour + time.Minute)) {
		t.Errorf("it is %v", now)
	}
	if want := (clockStep{at: three.Add(time.Hour + time.Minute), by: time.Hour}); c.step != want {
		t.Errorf("the step is %+v, want %+v", c.step, want)
	}
}

func TestStepBackByDaysIsFollowed(t *testing.T) {
	t.Parallel()
	var c clock
	c.measured(three, three.Add(10*24*time.Hour), three)
	c.read(three)
	c.measured(three, three, three)
	if now := c.read(three.Add(time.Minute)); !now.Equal(three.Add(time.Minute)) {
		t.Errorf("it is %v", now)
	}
}

func TestClockResumesWhereItWas(t *testing.T) {
	t.Parallel()
	var c clock
	c.measured(three, three, three)
	c.resume(three.Add(time.Hour), three)
	if now := c.read(three.Add(time.Second)); now.Before(three.Add(time.Hour)) || now.After(three.Add(time.Hour+time.Second)) {
		t.Errorf("it is %v", now)
	}
	c = clock{}
	c.resume(three.Add(-time.Hour), three)
	if now := c.read(three.Add(time.Second)); !now.Equal(three.Add(time.Second)) {
		t.Errorf("after an older heartbeat it is %v", now)
	}
}

func TestUncertainMeasurementIsIgnored(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, test := range []struct {
		name         string
		after, there time.Duration // of the question
		want         time.Duration // the difference, which was 10 ms
	}{
		{"as before", 2 * ms, 11 * ms, 10 * ms},
		{"as before, within what a slow answer can say", 40 * ms, 12 * ms, 10 * ms},
		{"another one, at once", 2 * ms, 31 * ms, 30 * ms},
		{"another one, and slowly", 40 * ms, 70 * ms, 50 * ms},
		{"so slow that it says nothing", 300 * ms, time.Hour, 10 * ms},
	} {
		var c clock
		c.measured(three, three.Add(10*ms), three)
		c.measured(three, three.Add(test.there), three.Add(test.after))
		if got := time.Duration(c.skew.Load()); got != test.want {
			t.Errorf("%s: the database is ahead by %v, want %v", test.name, got, test.want)
		}
	}
}
