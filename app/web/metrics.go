package web

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Metrics are the Prometheus metrics of this process.
type Metrics struct {
	registry   *prometheus.Registry
	batchSize  prometheus.Histogram
	batchTime  prometheus.Histogram
	timeToPage prometheus.Histogram
	messages   *prometheus.CounterVec
	sweeps     *prometheus.HistogramVec
}

// NewMetrics includes those of the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tocsin_ingest_batch_size", Help: "Signals in a transaction.", Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		batchTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tocsin_ingest_batch_seconds", Help: "How long a transaction of signals took.", Buckets: prometheus.ExponentialBuckets(.001, 2, 13),
		}),
		timeToPage: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tocsin_time_to_page_seconds", Help: "From the making of a page to the call of its provider, where its rule says at once.",
			Buckets: prometheus.ExponentialBuckets(.005, 2, 15),
		}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tocsin_messages_total", Help: "Attempts to send a message, by what became of them.",
		}, []string{"medium", "state"}),
		sweeps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tocsin_sweep_seconds", Help: "How long a loop's look for due work took.", Buckets: prometheus.ExponentialBuckets(.0005, 2, 14),
		}, []string{"loop"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.batchSize, m.batchTime, m.timeToPage, m.messages, m.sweeps)
	return m
}

// Swept records how long a loop's look for due work took.
func (m *Metrics) Swept(loop string, took time.Duration) {
	m.sweeps.WithLabelValues(loop).Observe(took.Seconds())
}

// Paged records how long after its making a page reached its provider.
func (m *Metrics) Paged(after time.Duration) { m.timeToPage.Observe(after.Seconds()) }

// Message counts an attempt by its result: "sent", "delivered", "failed".
func (m *Metrics) Message(medium notify.Medium, state string) {
	m.messages.WithLabelValues(string(medium), state).Inc()
}

// Backlog reports how much is due in a loop; due is called at each collection.
func (m *Metrics) Backlog(loop string, due func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tocsin_due_backlog", Help: "What is due and not taken in hand.", ConstLabels: prometheus.Labels{"loop": loop},
	}, due))
}

// Broken reports whether the channel of a medium is broken; broken is called at each
// collection.
func (m *Metrics) Broken(medium notify.Medium, broken func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tocsin_channel_broken", Help: "1 while the provider refuses us or cannot be reached; -1 where that cannot be read.", ConstLabels: prometheus.Labels{"medium": string(medium)},
	}, broken))
}

// Watch reports how many browsers follow the live stream.
func (m *Metrics) Watch(live *Live) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tocsin_live_streams", Help: "Browsers that follow what changes.",
	}, func() float64 { return float64(live.Watchers()) }))
}

// Writer measures the batches that go through a writer.
func (m *Metrics) Writer(w ingest.Writer) ingest.Writer { return measuredWriter{w, m} }

type measuredWriter struct {
	ingest.Writer
	metrics *Metrics
}

func (w measuredWriter) WriteSignals(ctx context.Context, signals []ingest.Signal) (ingest.Written, error) {
	start := time.Now()
	written, err := w.Writer.WriteSignals(ctx, signals)
	w.metrics.batchSize.Observe(float64(len(signals)))
	w.metrics.batchTime.Observe(time.Since(start).Seconds())
	return written, err
}

// Ingest reports the counters of the batcher and of the service.
func (m *Metrics) Ingest(batcher func() ingest.BatcherStats, service func() ingest.ServiceStats) {
	m.registry.MustRegister(ingestCollector{batcher, service})
}

type ingestCollector struct {
	batcher func() ingest.BatcherStats
	service func() ingest.ServiceStats
}

var (
	signalsTotal  = prometheus.NewDesc("tocsin_signals_total", "Signals, by what their senders were answered.", []string{"result"}, nil)
	openedTotal   = prometheus.NewDesc("tocsin_incidents_opened_total", "Incidents that a signal opened.", nil, nil)
	queueDepth    = prometheus.NewDesc("tocsin_ingest_queue_signals", "Signals that wait to be stored or are being stored.", nil, nil)
	queueBytes    = prometheus.NewDesc("tocsin_ingest_queue_bytes", "Their size.", nil, nil)
	batcherEvents = prometheus.NewDesc("tocsin_ingest_batches_total", "Transactions of signals, and what became of the signals in them.", []string{"what"}, nil)
)

func (c ingestCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{signalsTotal, openedTotal, queueDepth, queueBytes, batcherEvents} {
		to <- d
	}
}

func (c ingestCollector) Collect(to chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	service := c.service()
	for result, n := range service.Accepted {
		count(signalsTotal, n, string(result))
	}
	for kind, n := range service.Refused {
		count(signalsTotal, n, "refused_"+string(kind))
	}
	count(openedTotal, service.Accepted[incident.ResultCreated])
	b := c.batcher()
	to <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(b.Waiting))
	to <- prometheus.MustNewConstMetric(queueBytes, prometheus.GaugeValue, float64(b.WaitingBytes))
	for what, n := range map[string]int64{
		"begun": b.Batches, "signals_written": b.Written, "retried": b.Retried, "bisected": b.Bisected,
		"signals_failed": b.Failed, "signals_turned_away": b.Overload, "signals_late": b.Late,
	} {
		count(batcherEvents, n, what)
	}
}

// metrics are for tokens that may read the catalog. A collector on the same host
// needs none if the public address is this host's own: otherwise a proxy on this
// host that adds no header would look just like it.
func (r *Router) metrics(c echo.Context) error {
	if !r.publicIsLocal() || !fromThisHost(c.Request()) {
		if err := r.tokenMay(c, auth.ViewIntegrations); err != nil {
			return err
		}
	}
	promhttp.HandlerFor(r.Metrics.registry, promhttp.HandlerOpts{Registry: r.Metrics.registry}).ServeHTTP(c.Response(), c.Request())
	return nil
}

// publicIsLocal reports whether the public address is this host's own.
func (r *Router) publicIsLocal() bool {
	public, err := url.Parse(r.PublicURL)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(public.Hostname())
	return public.Hostname() == "localhost" || err == nil && address.IsLoopback()
}

// fromThisHost is false for what came through a proxy that says so.
func fromThisHost(r *http.Request) bool {
	for _, forwarded := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip"} {
		if r.Header.Get(forwarded) != "" {
			return false
		}
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && remote.Addr().Unmap().IsLoopback()
}

// tokenMay is nil for a request with an API token that may do the action.
func (r *Router) tokenMay(c echo.Context, action auth.Action) error {
	token, ok := BearerToken(c.Request())
	if !ok {
		return fault.Unauthorized("This needs an API token, as Authorization: Bearer …")
	}
	actor, err := r.Auth.ByToken(c.Request().Context(), token, c.RealIP())
	if err != nil {
		return err
	}
	return auth.Allow(actor, action, auth.Object{})
}
