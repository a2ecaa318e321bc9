package demo

import (
	"context"
	"time"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// write adds the events of past, up to now, to the agenda.
func (t *story) write(now time.Time) {
	begun := now.Add(-past)
	for at := begun; at.Before(now.Add(-8 * hour)); at = t.next(at) {
		t.begin(at, t.someTrouble())
	}
	t.storm(now.Add(-17*day - 3*hour))
	t.flap(now.Add(-44*day), t.troubleOf("search-api", "Latency of search"), 4, true)
	t.asleep(now.Add(-58 * day).Truncate(day).Add(hour))
	t.nonsense(now.Add(-31*day), garbled("checkout-api"))
	t.nonsense(now.Add(-9*day), `{"service": "checkout-api", "sli": "availability", "slo": {"name": "Availability of pla`)
	t.nonsense(now.Add(-26*hour), `{"service": "payment-gateway", "sli": "success rate", "slo": {"objective": 99.5}}`)
	t.today(now)
}

// next is the time of the next problem after at. At night there are half as many: the
// rest begins with the deployments of the morning.
func (t *story) next(at time.Time) time.Time {
	const pause = 17 * hour
	at = at.Add(time.Duration(t.dice.ExpFloat64() * float64(pause))).Truncate(time.Second)
	if h := at.Hour(); (h >= 21 || h < 5) && t.chance(0.5) {
		at = at.Add(10 * hour)
	}
	return at
}

// storm is one cause with breaches of many services within minutes.
func (t *story) storm(at time.Time) {
	for i, name := range [][2]string{
		{"api-gateway", "Availability of the gateway"}, {"identity", "Success of sign-in"}, {"shop-web", "Availability of pages"},
		{"checkout-api", "Availability of placing an order"}, {"shop-web", "Latency of pages"}, {"search-api", "Latency of search"},
		{"payment-gateway", "Success of card authorization"},
	} {
		x := t.troubleOf(name[0], name[1])
		x.deployment = "prod-eu"
		t.begin(at.Add(time.Duration(i)*47*time.Second), x)
	}
}

// flap makes a trouble recover and recur so often that it is held open.
func (t *story) flap(at time.Time, x *trouble, times int, ends bool) {
	for i := range times {
		t.begin(at, x)
		at = at.Add(5 * time.Minute)
		if ends || i < times-1 {
			t.add(at, func(ctx context.Context) error { return t.signal(ctx, x, "recovered") })
		}
		at = at.Add(3 * time.Minute)
	}
}

// asleep is a night in which nobody acknowledges: the policy is exhausted, and its
// fallback is paged, until the service recovers.
func (t *story) asleep(at time.Time) {
	x := t.troubleOf("message-bus", "Delivery within five seconds")
	x.deployment = "prod-us"
	t.add(at, func(ctx context.Context) error { return t.signal(ctx, x, "breached") })
	t.add(at.Add(5*hour), func(ctx context.Context) error { return t.signal(ctx, x, "recovered") })
}

// today adds the incidents that are open at the end.
func (t *story) today(now time.Time) {
	slow := t.troubleOf("checkout-api", "Latency of checkout")
	slow.deployment, slow.open = "prod-eu", true
	t.begin(now.Add(-72*time.Minute), slow)

	late := t.troubleOf("invoicing", "Invoices within an hour")
	late.open = true
	t.begin(now.Add(-5*hour), late)

	t.unanswered(now.Add(-11*time.Minute), "payment-gateway", "Success of card authorization", "prod-eu")
	t.unanswered(now.Add(-4*time.Minute), "search-api", "Latency of search", "prod-us")
	t.unanswered(now.Add(-95*time.Second), "identity", "Success of sign-in", "prod-eu")

	fresh := t.troubleOf("recommendations", "Freshness of recommendations")
	fresh.deployment, fresh.open = "prod-us", true
	t.flap(now.Add(-45*time.Minute), fresh, 5, false)
}

// unanswered is a breach without an acknowledgment.
func (t *story) unanswered(at time.Time, service, slo, deployment string) {
	x := t.troubleOf(service, slo)
	x.deployment = deployment
	t.add(at, func(ctx context.Context) error { return t.signal(ctx, x, "breached") })
}
