package incident

import (
	"slices"
	"time"
)

// Flapping: from the third reopen within an hour an incident stays open. It
// reopens without paging and recoveries do not resolve it. It pages when its priority
// is raised, and when it fires for the service's reopen window without a recovery. That
// ends with a quiet period: thirty minutes in which no alert began or ended firing.
const (
	FlapReopens = 3
	FlapWindow  = time.Hour
	FlapQuiet   = 30 * time.Minute
)

func (r *receiveRun) reopens() bool {
	inc := r.out.Incident
	return inc.ResolvedAt != nil && inc.Group == r.ev.Group && r.rules.ReopenWindow > 0 &&
		!r.now.After(inc.ResolvedAt.Add(r.rules.ReopenWindow))
}

func (r *receiveRun) reopen() {
	inc := r.out.Incident
	inc.reopened()
	r.seen()
	inc.ChangedAt = r.now
	inc.ReopenedAt = append(slices.Clone(lastHour(inc.ReopenedAt, r.now)), r.now)
	reopened := ReopenedPayload{Sender: r.ev.Facts.Sender, Warnings: r.ev.Warnings}
	muted := r.mutedUntil()
	switch {
	case len(inc.ReopenedAt) >= FlapReopens:
		r.record(reopened)
		r.startFlapping()
	case muted != nil:
		reopened.Until = wholeSecond(*muted)
		r.record(reopened)
		inc.MutedUntil = muted
		r.timer(TimerQuietPeriod, *muted)
	default:
		r.record(reopened)
	}
	raised := r.raise()
	inc.Facts.Severity = r.ev.Severity // what it was before is over
	r.out.Result = ResultSuppressed
	if raised || inc.FlappingSince == nil && muted == nil {
		r.out.Result, r.out.Warning = ResultDeduplicated, ""
		r.start()
	}
	r.snooze()
}

// mutedUntil is until when the sender asked for quiet, nil where that is over
// or a raise breaks it.
func (r *receiveRun) mutedUntil() *time.Time {
	until := r.out.Alert.SnoozedUntil
	if until == nil || !until.After(r.now) || r.pagesAgain() {
		return nil
	}
	return until
}

// startFlapping keeps the incident open until it has been quiet for FlapQuiet.
func (r *receiveRun) startFlapping() {
	inc := r.out.Incident
	since, quiet := r.now, r.now.Add(FlapQuiet)
	inc.FlappingSince = &since
	r.record(FlappingPayload{Reopens: int64(len(inc.ReopenedAt)), Until: wholeSecond(quiet)})
	r.timer(TimerQuietPeriod, quiet)
	r.flaps()
}

// flaps is a trigger on a flapping incident: it pages if it goes on firing.
func (r *receiveRun) flaps() {
	r.timer(TimerFiring, r.now.Add(r.rules.ReopenWindow))
	r.out.Warning = flapping
}

// flapping is what the sender of a trigger on a flapping incident is told.
const flapping = "The incident is flapping, so this paged nobody. It pages if it goes on firing without a recovery, or if its priority rises."

// lastHour cuts reopens that no longer count.
func lastHour(reopens []time.Time, now time.Time) []time.Time {
	for i, at := range reopens {
		if now.Sub(at) < FlapWindow {
			return reopens[i:]
		}
	}
	return nil
}
