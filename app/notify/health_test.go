package notify

import (
	"testing"
	"time"
)

func TestChannelStateAfterFailures(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	refused, slow := Failure{Scope: ScopeChannel, Reason: "refused"}, Failure{Scope: ScopeProvider, Reason: "slow"}
	type failure struct {
		after time.Duration
		Failure
	}
	for name, c := range map[string]struct {
		failures []failure
		broken   time.Duration // since when, -1 for not
		holds    bool
	}{
		"refused":                    {[]failure{{0, refused}}, 0, true},
		"slow once":                  {[]failure{{0, slow}}, -1, false},
		"slow for long":              {[]failure{{0, slow}, {10 * time.Second, slow}, {BrokenAfter, slow}}, 0, false},
		"slow now and then":          {[]failure{{0, slow}, {time.Hour, slow}}, -1, false},
		"slow, then refused":         {[]failure{{0, slow}, {time.Second, refused}}, 0, true},
		"refused, then slow":         {[]failure{{0, refused}, {time.Second, slow}}, 0, true},
		"refused again an hour late": {[]failure{{0, refused}, {time.Hour, refused}}, 0, true},
	} {
		var s ChannelState
		for _, f := range c.failures {
			s = s.After(f.Failure, start.Add(f.after))
		}
		broken := time.Duration(-1)
		if s.BrokenSince != nil {
			broken = s.BrokenSince.Sub(start)
		}
		if broken != c.broken || s.Holds != c.holds || s.Reason != c.failures[len(c.failures)-1].Reason {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestRetryOfProviderLastsUntilItWorks(t *testing.T) {
	t.Parallel()
	slow := Failure{Scope: ScopeProvider}
	for n, want := range map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second, 3: maxProviderWait, 100: maxProviderWait} {
		if wait, again := Retry(n, KindPage, slow); !again || wait != want {
			t.Errorf("after attempt %d: %s, %v", n, wait, again)
		}
	}
	for _, k := range []Kind{KindVerify, KindReply} { // useless later
		if _, again := Retry(4, k, slow); again {
			t.Errorf("a %s is tried for ever", k)
		}
		if _, again := Retry(1, k, Failure{Scope: ScopeChannel}); again {
			t.Errorf("a %s is tried again while we are refused", k)
		}
	}
	if wait, _ := Retry(1, KindPage, Failure{Scope: ScopeProvider, RetryAfter: time.Hour}); wait != maxRetryAfter {
		t.Errorf("a Retry-After of an hour is taken for %s", wait)
	}
}

func TestUncertainFailuresAreNotRepeatedWithoutBound(t *testing.T) {
	t.Parallel()
	late := Failure{Scope: ScopeProvider, Uncertain: true}
	for n, want := range map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second, 3: maxProviderWait, 4: time.Minute, MaxAttempts: time.Minute} {
		if wait, again := Retry(n, KindPage, late); !again || wait != want {
			t.Errorf("after attempt %d: %s, %v", n, wait, again)
		}
	}
	for _, k := range []Kind{KindChannel, KindNotice} {
		if _, again := Retry(MaxAttempts, k, late); again {
			t.Errorf("a %s that may have arrived is sent for ever", k)
		}
	}
}

func TestFallsOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n    int
		f    Failure
		want bool
	}{
		"refused":                  {1, Failure{Scope: ScopeChannel}, true},
		"busy":                     {1, Failure{Scope: ScopeProvider}, false},
		"busy again":               {2, Failure{Scope: ScopeProvider}, true},
		"busy for long":            {1, Failure{Scope: ScopeProvider, RetryAfter: 30 * time.Second}, true},
		"busy for a second":        {1, Failure{Scope: ScopeProvider, RetryAfter: time.Second}, false},
		"recipient for now":        {1, Failure{}, false},
		"recipient, a second time": {2, Failure{}, true},
	} {
		if got := FallsOver(c.n, c.f); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
