package web

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-oncall/tocsin/app/effect"
)

// Effects shows how the consumers of the timeline do. failures are those of each
// in this process; now is the clock of the timeline.
func (m *Metrics) Effects(status func(context.Context) ([]effect.Status, error), failures func() map[string]int64, now func() time.Time) {
	m.registry.MustRegister(effectCollector{status, failures, now})
}

type effectCollector struct {
	status   func(context.Context) ([]effect.Status, error)
	failures func() map[string]int64
	now      func() time.Time
}

var (
	effectLag      = effectDesc("lag_events", "Timeline events that the consumer has not got yet, up to 10,000.")
	effectAge      = effectDesc("lag_seconds", "Age of the first of them.")
	effectTries    = effectDesc("tries", "Failures in a row; 0 where the consumer works.")
	effectSetAside = effectDesc("set_aside_events", "Events that the consumer does not get, since it fails with them.")
	effectFailures = effectDesc("failures_total", "Failed calls of the consumer.")
)

func effectDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("tocsin_effect_"+name, help, []string{"consumer"}, nil)
}

func (c effectCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{effectLag, effectAge, effectTries, effectSetAside, effectFailures} {
		to <- d
	}
}

// Collect leaves out what the database cannot be asked for.
func (c effectCollector) Collect(to chan<- prometheus.Metric) {
	for name, n := range c.failures() {
		to <- prometheus.MustNewConstMetric(effectFailures, prometheus.CounterValue, float64(n), name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	all, err := c.status(ctx)
	if err != nil {
		return
	}
	for _, s := range all {
		gauge := func(d *prometheus.Desc, v float64) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, s.Name)
		}
		age := time.Duration(0)
		if s.Oldest != nil {
			age = max(0, c.now().Sub(*s.Oldest))
		}
		gauge(effectLag, float64(s.Behind))
		gauge(effectAge, age.Seconds())
		gauge(effectTries, float64(s.Tries))
		gauge(effectSetAside, float64(s.SetAside))
	}
}
