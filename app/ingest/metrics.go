package ingest

import (
	"sync/atomic"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

type batcherMetrics struct {
	batches, written, retried, bisected, failed, overload, late atomic.Int64
}

// BatcherStats are counters since the start, except Waiting and WaitingBytes.
type BatcherStats struct {
	Waiting      int64 // signals that are queued or being written
	WaitingBytes int64
	Batches      int64 // transactions begun
	Written      int64 // signals made durable, or found stale
	Retried      int64 // transactions retried after a conflict
	Bisected     int64 // batches split because of a signal's data
	Failed       int64 // signals that could not be stored
	Overload     int64 // requests refused because the queue was full
	Late         int64 // requests whose deadline passed
}

// Stats reads the counters.
func (b *Batcher) Stats() BatcherStats {
	m := &b.metrics
	return BatcherStats{
		Waiting: b.count.Load(), WaitingBytes: b.bytes.Load(),
		Batches: m.batches.Load(), Written: m.written.Load(), Retried: m.retried.Load(),
		Bisected: m.bisected.Load(), Failed: m.failed.Load(), Overload: m.overload.Load(), Late: m.late.Load(),
	}
}

// The label values of the service's counters.
var (
	statResults = [...]incident.Result{
		incident.ResultCreated, incident.ResultDeduplicated, incident.ResultResolved,
		incident.ResultAcknowledged, incident.ResultSuppressed, ResultRecorded, incident.ResultIgnored,
	}
	statFaults = [...]fault.Kind{
		fault.KindInvalid, fault.KindMalformed, fault.KindUnauthorized, fault.KindTooLarge,
		fault.KindUnsupported, fault.KindLimited, fault.KindUnavailable, fault.KindInternal,
	}
)

type serviceMetrics struct {
	accepted [len(statResults)]atomic.Int64
	refused  [len(statFaults)]atomic.Int64
}

func (m *serviceMetrics) accept(status incident.Result) {
	for i, r := range statResults {
		if r == status {
			m.accepted[i].Add(1)
		}
	}
}

func (m *serviceMetrics) refuse(err error) {
	kind := fault.KindOf(err)
	for i, k := range statFaults {
		if k == kind {
			m.refused[i].Add(1)
		}
	}
}

// ServiceStats count the answers since the start.
type ServiceStats struct {
	Accepted map[incident.Result]int64
	Refused  map[fault.Kind]int64
}

// Stats reads the counters.
func (s *Service) Stats() ServiceStats {
	stats := ServiceStats{
		Accepted: make(map[incident.Result]int64, len(statResults)),
		Refused:  make(map[fault.Kind]int64, len(statFaults)),
	}
	for i, r := range statResults {
		stats.Accepted[r] = s.metrics.accepted[i].Load()
	}
	for i, k := range statFaults {
		stats.Refused[k] = s.metrics.refused[i].Load()
	}
	return stats
}
