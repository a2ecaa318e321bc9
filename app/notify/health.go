package notify

import (
	"strings"
	"time"
)

// Scope says what a failure is about.
type Scope int

const (
	// ScopeMessage is a failure of one recipient or one message. Others may arrive by
	// the same channel.
	ScopeMessage Scope = iota
	// ScopeProvider is a provider that is overloaded, answers with an error of its own,
	// or too late.
	ScopeProvider
	// ScopeChannel is a provider that refuses us (credentials, account, quota) or that
	// cannot be reached. Nothing was sent, and nothing will be until that is mended.
	ScopeChannel
)

// ChannelState is the state of a channel that has failed since its last success.
type ChannelState struct {
	Medium Medium
	// FailingSince is the first failure since the last success, FailedAt the last one.
	FailingSince, FailedAt time.Time
	// BrokenSince is nil until the failures count as an outage.
	BrokenSince *time.Time
	// Holds says that messages wait: one at a time is tried, as a probe.
	Holds bool
	// Reason is that of the last failure.
	Reason string
	// ProbeAt is when the next waiting message is tried; nil where none waits.
	ProbeAt *time.Time
	// ToldAt is when the administrators were last told of the outage.
	ToldAt *time.Time
}

// Times of outages.
const (
	// ProbeEvery is the interval of probes of a channel that holds its messages.
	ProbeEvery = 5 * time.Second
	// BrokenAfter is how long a provider may fail without a success before that counts
	// as an outage. A failure of ScopeChannel counts at once.
	BrokenAfter = 20 * time.Second
	// forgetAfter is how long after the last failure the next one counts as the first.
	forgetAfter = 2 * time.Minute
	// TellAfter is how long an outage lasts before the administrators are told.
	TellAfter = 15 * time.Second
	// TellEvery is how often they are told again.
	TellEvery = time.Hour
	// tellLater is when an outage is told of that no administrator can be told of now.
	tellLater = time.Minute
)

// After is the state after a failure that is not of ScopeMessage. The zero
// ChannelState stands for a channel that works.
func (s ChannelState) After(f Failure, now time.Time) ChannelState {
	if s.FailingSince.IsZero() || s.BrokenSince == nil && now.Sub(s.FailedAt) > forgetAfter {
		s.FailingSince = now
	}
	s.FailedAt, s.Reason = now, f.Reason
	s.Holds = s.Holds || f.Scope == ScopeChannel
	if s.BrokenSince == nil && (s.Holds || now.Sub(s.FailingSince) >= BrokenAfter) {
		since := s.FailingSince
		s.BrokenSince = &since
	}
	return s
}

// TellAt is when the administrators are told of an outage, for the first time or
// again. Again they are told only of one that has failed since: see News.
func (s ChannelState) TellAt() time.Time {
	if s.ToldAt != nil {
		return s.ToldAt.Add(TellEvery)
	}
	return s.BrokenSince.Add(TellAfter)
}

// News reports whether the channel has failed since the administrators were last told.
// Where nothing waits nothing is tried, so that nobody knows whether it works.
func (s ChannelState) News() bool { return s.ToldAt == nil || s.FailedAt.After(*s.ToldAt) }

// Waits reports whether messages of a kind wait for their channel. A code or an answer
// is of no use later: it fails, and its sender tries again.
func (k Kind) Waits() bool { return k == KindPage || k == KindChannel || k == KindNotice }

// NextMethodAfter is how long a call may last before the pages of its message go by
// the person's next contact method as well.
const NextMethodAfter = 3 * time.Second

// FallsOver reports whether, after the n-th failed attempt, counted from 1, the pages
// of a message that is tried again go by the person's next contact method as well.
func FallsOver(n int, f Failure) bool {
	return f.Scope == ScopeChannel || n > 1 || f.RetryAfter > NextMethodAfter
}

// Retry reports whether a message that failed for the n-th time, counted from 1, is
// tried again at the same address, and after which wait. After a failure of
// ScopeMessage it is tried three times more, but not after a permanent one, nor where
// Retry-After is longer than a page can wait. After any other failure a message of a
// kind that waits is tried for as long as it is of use; from the fourth on, one that may
// have arrived each time is tried every uncertainWait, and of the kinds only a page
// after the fifth.
func Retry(n int, k Kind, f Failure) (wait time.Duration, again bool) {
	if f.Scope != ScopeMessage && k.Waits() {
		waits, beyond := []time.Duration{2 * time.Second, 4 * time.Second}, maxProviderWait
		if f.Uncertain && n > 3 {
			if n >= MaxAttempts && k != KindPage {
				return 0, false
			}
			beyond = uncertainWait
		}
		return max(pick(waits, n, beyond), min(f.RetryAfter, maxRetryAfter)), true
	}
	waits := []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second}
	const maxWait = 30 * time.Second
	if f.Permanent || f.Scope == ScopeChannel || f.RetryAfter > maxWait || n < 1 || n > len(waits) {
		return 0, false
	}
	return max(waits[n-1], f.RetryAfter), true //nolint:gosec // n is within bounds, as checked above
}

const (
	// maxProviderWait bounds the wait between two tries of a provider that fails, so
	// that a page leaves soon after it works again.
	maxProviderWait = 8 * time.Second
	// uncertainWait is the wait between tries of which each may have sent the message, so
	// that a provider that accepts messages and answers too late fills nobody's phone.
	uncertainWait = time.Minute
	// maxRetryAfter bounds what is believed of a provider's Retry-After.
	maxRetryAfter = 5 * time.Minute
)

// pick is the n-th wait, counted from 1, and beyond the last the one given.
func pick(waits []time.Duration, n int, beyond time.Duration) time.Duration {
	if n <= len(waits) {
		return waits[n-1]
	}
	return beyond
}

// MaxAttempts bounds the attempts that are kept of a message. One that is tried for
// longer has the last of them written over.
const MaxAttempts = 5

// Broken are the media whose channels are broken.
func Broken(states []ChannelState) map[Medium]bool {
	broken := map[Medium]bool{}
	for _, s := range states {
		if s.BrokenSince != nil {
			broken[s.Medium] = true
		}
	}
	return broken
}

// Sentence says of a broken channel since when it does not work, in a zone, and why.
func (s ChannelState) Sentence(zone string) string {
	return s.Medium.Name() + " has not worked since " + minute(*s.BrokenSince, zone) + ". " + strings.TrimSuffix(s.Reason, ".") + "."
}

// minute is an instant in a zone: "03:10 on 23 November (CET)".
func minute(at time.Time, zone string) string {
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	return at.In(location).Format("15:04 on 2 January (MST)")
}
