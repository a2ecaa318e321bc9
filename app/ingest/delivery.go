package ingest

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// delivery is one request in progress: its events, and at the same indexes the signals
// and answers.
type delivery struct {
	format        *Format
	integrationID int64
	integration   catalog.Integration // as it was found last
	begun         bool                // a part of the request is durable
	events        []Event
	numbers       []int // each event's in its request, from 1; nil for all events of it
	signals       []Signal
	changes       []RecordedChange
	reports       []RecordedReport
	answers       []Answer
	refused       []error // nil for an event that is accepted
}

// take decodes a request, resolves its events and makes them durable. Each snapshot
// is asked for the integration, since its service may have changed too. Where the
// integration was deleted meanwhile, the request fails as Unauthorized, unless a part of
// it is durable already: then the rest is accepted by the integration as it was, since
// the sender of a failed request takes all of it for lost. An event that the cached
// snapshot refuses is resolved again by the current one, since its service may be new.
// Warnings need no second look: the writer answers Stale where the snapshot is outdated.
//
// numbers selects events, from 1 in the order of the request; nil selects all.
// refused lists the events that were not accepted beside others; err says why none
// was.
func (s *Service) take(ctx context.Context, format *Format, integrationID int64, req *Request, numbers []int) (answers []Answer, refused []refusedEvent, err error) {
	if len(req.Body) > MaxBody {
		return nil, nil, fault.TooLarge("The body is larger than %d KiB.", MaxBody>>10)
	}
	events, err := format.Decode(req.input())
	if err != nil {
		return nil, nil, err
	}
	if numbers != nil {
		numbers, events = pick(events, numbers)
	}
	d := &delivery{
		format: format, integrationID: integrationID, events: events, numbers: numbers, signals: make([]Signal, len(events)),
		answers: make([]Answer, len(events)), refused: make([]error, len(events)),
	}
	for i := range events {
		if ev := &events[i]; ev.DedupKey == "" && ev.isSignal() {
			ev.DedupKey = rand.Text()
		}
	}
	if err := s.resolveAll(ctx, d); err != nil {
		return nil, nil, err
	}
	if err := s.submitAll(ctx, d); err != nil {
		return nil, nil, err
	}
	if err := s.recordAll(ctx, d); err != nil {
		return nil, nil, err
	}
	for i := range d.answers {
		if d.answers[i].Warnings == nil {
			d.answers[i].Warnings = []string{}
		}
	}
	return d.answers, d.refusedEvents(), nil
}

// pick returns the events with the numbers, in the order of the numbers. Numbers
// without an event are skipped.
func pick(events []Event, numbers []int) (picked []int, chosen []Event) {
	for _, n := range numbers {
		if n >= 1 && n <= len(events) {
			picked, chosen = append(picked, n), append(chosen, events[n-1])
		}
	}
	return picked, chosen
}

// refusedEvent is an event that was not accepted beside others that were.
type refusedEvent struct {
	number int // in its request, from 1
	why    error
}

func (d *delivery) refusedEvents() []refusedEvent {
	var refused []refusedEvent
	for i, why := range d.refused {
		if why == nil {
			continue
		}
		number := i + 1
		if d.numbers != nil {
			number = d.numbers[i]
		}
		refused = append(refused, refusedEvent{number: number, why: why})
	}
	return refused
}

// allRefused is why the last event was refused, where no event is accepted.
func (d *delivery) allRefused() error {
	if len(d.refused) == 0 || slices.Contains(d.refused, nil) {
		return nil
	}
	return d.refused[len(d.refused)-1]
}

// resolveAll resolves all events, and fails where none can be accepted.
func (s *Service) resolveAll(ctx context.Context, d *delivery) error {
	snapshot, err := s.opts.Config.Snapshot(ctx)
	if err != nil {
		return unavailable(err)
	}
	for i := range d.events {
		err := s.resolve(snapshot, d, i)
		if _, _, refused := refusal(err); refused || fault.Is(err, fault.KindUnauthorized) {
			if snapshot, err = s.opts.Config.Reload(ctx); err != nil {
				return unavailable(err)
			}
			err = s.resolve(snapshot, d, i)
		}
		if err == nil {
			continue
		}
		if _, _, ok := refusal(err); !ok || len(d.events) == 1 {
			return err
		}
		s.refuse(d, i, err)
	}
	return d.allRefused()
}

func (s *Service) refuse(d *delivery, i int, why error) {
	f, _, _ := refusal(why)
	d.refused[i] = why
	d.answers[i] = Answer{Status: ResultRefused, DedupKey: d.events[i].DedupKey, Warnings: []string{f.Message}}
}

// resolve resolves an event by a snapshot.
func (s *Service) resolve(snapshot *catalog.Snapshot, d *delivery, i int) error {
	integration, ok := snapshot.Integration(d.integrationID)
	switch {
	case ok:
		d.integration = integration
	case d.begun:
		integration = d.integration
	default:
		return fault.Unauthorized("Nobody here knows this key any more.")
	}
	ev := &d.events[i]
	if ev.isSignal() {
		var err error
		d.signals[i], err = Resolve(snapshot, integration, d.format, ev, s.now())
		return err
	}
	if ev.Report != nil {
		report, warnings, err := resolveReport(snapshot, integration, d.format, ev, s.now())
		if err != nil {
			return err
		}
		d.reports = append(d.reports, report)
		d.answers[i] = Answer{Status: ResultRecorded, Warnings: warnings}
		return nil
	}
	change, warnings, err := resolveChange(snapshot, integration, d.format, ev, s.now())
	if err != nil {
		return err
	}
	d.changes = append(d.changes, change)
	d.answers[i] = Answer{Status: ResultRecorded, Warnings: warnings}
	return nil
}

// submitAll makes the signals durable. Stale ones are resolved again; it fails where
// then no event of the request can be accepted.
func (s *Service) submitAll(ctx context.Context, d *delivery) error {
	var pending []int
	for i := range d.events {
		if d.events[i].isSignal() && d.refused[i] == nil {
			pending = append(pending, i)
		}
	}
	for range maxStale {
		if len(pending) == 0 {
			return d.allRefused()
		}
		stale, err := s.submit(ctx, d, pending)
		if err != nil || stale == nil {
			return err
		}
		snapshot, err := s.opts.Config.Reload(ctx)
		if err != nil {
			return unavailable(err)
		}
		pending = pending[:0]
		for _, i := range stale {
			switch err := s.resolve(snapshot, d, i); {
			case err == nil:
				pending = append(pending, i)
			case len(d.events) == 1:
				return err
			default:
				if _, _, ok := refusal(err); !ok {
					return err
				}
				s.refuse(d, i, err)
			}
		}
	}
	if len(pending) == 0 {
		return d.allRefused()
	}
	return tryAgain("The configuration is changing. Send it again in a moment.", nil)
}

// submit makes signals durable in one transaction, and returns those that were stale.
//
// A recovery that is ignored under the key of a rule is tried under the key without
// the rule, since the alert may have fired before the rule was set, or where the rule
// failed. Where that is ignored too, a warning says why.
func (s *Service) submit(ctx context.Context, d *delivery, pending []int) (stale []int, err error) {
	signals := d.signals
	if len(pending) < len(signals) {
		signals = make([]Signal, len(pending))
		for n, i := range pending {
			signals[n] = d.signals[i]
		}
	}
	results, err := s.opts.Submitter.Submit(ctx, signals)
	if err != nil {
		return nil, err
	}
	for n, i := range pending {
		result, signal := results[n], &d.signals[i]
		if !result.Stale && result.Status == incident.ResultIgnored && signal.KeyWithoutRule != "" {
			if result, err = s.withoutRule(ctx, signal); err != nil {
				return nil, err
			}
		}
		if result.Stale {
			stale = append(stale, i)
			continue
		}
		d.answers[i], d.begun = s.answer(signal, result), true
	}
	return stale, nil
}

// withoutRule submits a recovery under its key without the rule.
func (s *Service) withoutRule(ctx context.Context, signal *Signal) (Result, error) {
	if other := *signal; other.KeyWithoutRule != other.Event.DedupKey {
		other.Event.DedupKey = other.KeyWithoutRule
		again, err := s.opts.Submitter.Submit(ctx, []Signal{other})
		if err != nil {
			return Result{}, err
		}
		if again[0].Stale || again[0].Status != incident.ResultIgnored {
			if !again[0].Stale {
				*signal = other
			}
			return again[0], nil
		}
	}
	return Result{Status: incident.ResultIgnored, Warning: endedNothing}, nil
}

// recordAll records the changes and reports of a request.
func (s *Service) recordAll(ctx context.Context, d *delivery) error {
	if len(d.changes) > 0 {
		if err := s.opts.Changes.RecordChanges(ctx, d.changes); err != nil {
			return tryAgain("The change could not be stored. Send it again in a moment.", err)
		}
	}
	if len(d.reports) > 0 {
		if err := s.opts.Reports.RecordReports(ctx, d.reports); err != nil {
			return tryAgain("The report could not be stored. Send it again in a moment.", err)
		}
	}
	return nil
}

func (s *Service) answer(signal *Signal, result Result) Answer {
	a := Answer{Status: result.Status, DedupKey: signal.Event.DedupKey, Warnings: signal.Event.Warnings}
	if result.Warning != "" {
		a.Warnings = append(slices.Clip(a.Warnings), result.Warning)
	}
	if result.Number != 0 {
		a.Incident = &IncidentRef{Number: result.Number, URL: s.opts.URL(result.Number)}
	}
	return a
}
