package slo

import (
	"math"
	"time"

	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// maxInterval bounds the interval of a report.
const maxInterval = 366 * 24 * time.Hour

// maxCount is the largest whole number that every JSON reader can represent.
const maxCount = 1 << 53

// readReport reads what only a report has.
//
//	field        must be                                         otherwise
//	interval     an object with from and to, both RFC 3339; to   refused
//	             after from, by at most a year
//	total, good  whole numbers, 0 or more; good at most total    not used; more good than total: refused
//
// It must say something: observed, an error budget, or both counts.
func (d *decoder) readReport(interval, total, good document.Value) {
	r := &ingest.Report{Total: d.count("total", total), Good: d.count("good", good)}
	d.ev.Report = r
	r.From, r.To = d.interval(interval)
	if r.Total != nil && r.Good != nil && *r.Good > *r.Total {
		d.Refuse("good", "must not be more than total")
	}
	facts := &d.ev.Facts
	if facts.Observed == nil && facts.BudgetRemaining == nil && facts.BudgetDepleted == nil && (r.Total == nil || r.Good == nil) {
		d.Refuse("observed", "is missing, and so are an error budget and counts of total and good")
	}
}

func (d *decoder) interval(v document.Value) (from, to time.Time) {
	switch {
	case !v.Given():
		d.Refuse("interval", "is missing")
		return from, to
	case !v.IsObject():
		d.Refuse("interval", "must be an object with from and to")
		return from, to
	}
	var in [len(intervalFields)]document.Value
	d.Object("interval.", v, intervalFields[:], in[:])
	from, to = d.instant("interval.from", in[0]), d.instant("interval.to", in[1])
	if from.IsZero() || to.IsZero() {
		return from, to
	}
	switch length := to.Sub(from); {
	case length <= 0:
		d.Refuse("interval.to", "must be after interval.from")
	case length > maxInterval:
		d.Refuse("interval.to", "must be at most a year after interval.from")
	}
	return from, to
}

// instant is a time that must be there.
func (d *decoder) instant(path string, v document.Value) time.Time {
	if !v.Given() {
		d.Refuse(path, "is missing")
		return time.Time{}
	}
	at := d.Time(path, v)
	if at.IsZero() {
		d.Refuse(path, `must be a time such as "2026-11-23T18:00:00Z"`)
	}
	return at
}

// count is a whole number, nil for none.
func (d *decoder) count(path string, v document.Value) *int64 {
	n := d.Number(path, v, 0, maxCount)
	if n == nil {
		return nil
	}
	if *n != math.Trunc(*n) {
		d.Unused(path, v, "must be a whole number and is not used")
		return nil
	}
	whole := int64(*n)
	return &whole
}
