package demo

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// weakness is an SLO of the sample organisation that is breached from time to time.
type weakness struct {
	// often is its relative frequency among all weaknesses.
	often           int
	service         string
	slo             string
	endpoint        string
	sli             string
	objective       float64 // percent
	low, high       float64 // range of the measurement, in percent
	deployments     []string
	dependency      string // a service that it depends on, or empty
	notes, remedies []string
}

var weaknesses = []weakness{
	{14, "checkout-api", "Availability of placing an order", "POST /orders", "availability", 99.9, 96.1, 99.6, []string{"prod-eu", "prod-us"}, "payment-gateway",
		[]string{"Errors come from one zone only; the database there has 400 waiting connections.", "Began two minutes after the deployment of 14.2.", "All failures are timeouts towards the payment gateway."},
		[]string{"Rolled 14.2 back.", "Took the slow zone out of the load balancer.", "Raised the connection pool from 40 to 80 and restarted one by one."}},
	{16, "checkout-api", "Latency of checkout", "POST /basket/{id}/checkout", "latency", 99, 91, 98.2, []string{"prod-eu", "prod-us"}, "message-bus",
		[]string{"Half of the time goes into address validation.", "A batch job reads the same tables since 10:00.", "Only baskets with more than 30 books are slow."},
		[]string{"Stopped the batch job; it runs at night from now on.", "Switched address validation to the second provider.", "Added the missing index on basket_items."}},
	{11, "payment-gateway", "Success of card authorization", "POST /authorizations", "success rate", 99.5, 88, 98.9, []string{"prod-eu", "prod-us"}, "",
		[]string{"The provider's status page is green, but their answers take 9 s.", "Only cards of one network are refused.", "Refusals began with the new certificate."},
		[]string{"Sent cards by the second provider.", "The provider has mended it on their side.", "Put the old certificate back until the chain is complete."}},
	{8, "invoicing", "Invoices within an hour", "", "timeliness", 99, 90, 98.4, []string{"prod-eu"}, "order-events",
		[]string{"The queue holds 11,000 invoices and shrinks by 60 a minute.", "The renderer dies on one order with 900 lines."},
		[]string{"Let two more renderers work until the queue was empty.", "Put the one order aside and told accounting."}},
	{13, "shop-web", "Latency of pages", "GET /books/{isbn}", "latency", 99, 93, 98.6, []string{"prod-eu", "prod-us"}, "search-api",
		[]string{"The cache was emptied by the deployment and fills slowly.", "A crawler asks for 300 pages a second.", "Pictures come from the origin instead of the CDN."},
		[]string{"Waited for the cache; deployments keep it from now on.", "Limited the crawler.", "Put the CDN rule back."}},
	{5, "shop-web", "Availability of pages", "GET /*", "availability", 99.9, 97, 99.7, []string{"prod-eu", "prod-us"}, "api-gateway",
		[]string{"Two of six instances do not start: a secret has expired.", "The gateway refuses our instances since its restart."},
		[]string{"Renewed the secret, and set a reminder for the next.", "Restarted the instances after the gateway."}},
	{12, "search-api", "Latency of search", "GET /search", "latency", 98, 88, 97.4, []string{"prod-eu", "prod-us"}, "",
		[]string{"One shard is twice as large as the others.", "Garbage collection takes 30 % since the index was rebuilt.", "Searches by author alone are slow."},
		[]string{"Moved the large shard to a host of its own.", "Gave the nodes back the memory that the rebuild had taken.", "Cached the authors' pages."}},
	{7, "recommendations", "Freshness of recommendations", "GET /recommendations", "freshness", 95, 82, 94.1, []string{"prod-eu", "prod-us"}, "order-events",
		[]string{"The nightly training has not finished.", "Last night's model was refused by its own check."},
		[]string{"Trained again by hand.", "Kept the model of the day before; the check is right."}},
	{6, "api-gateway", "Availability of the gateway", "/*", "availability", 99.95, 98.7, 99.9, []string{"prod-eu", "prod-us"}, "identity",
		[]string{"Connections are closed while certificates reload.", "One node of the cluster lost its neighbours."},
		[]string{"Reload one node after the other.", "Took the node out; the network team looks at its switch."}},
	{9, "identity", "Success of sign-in", "POST /session", "success rate", 99.5, 95, 99.2, []string{"prod-eu", "prod-us"}, "",
		[]string{"Failures are one address range that tries passwords.", "Sessions cannot be written: the disk is at 97 %."},
		[]string{"Limited the address range.", "Removed old sessions and doubled the disk."}},
	{10, "message-bus", "Delivery within five seconds", "", "latency", 99, 92, 98.5, []string{"prod-eu", "prod-us"}, "",
		[]string{"A consumer of the order topic has stopped.", "The brokers elect a new leader every few minutes."},
		[]string{"Started the consumer again; it now tells when it stops.", "Replaced the broker with the failing disk."}},
	{6, "order-events", "Completeness of order events", "", "completeness", 99.9, 97, 99.8, []string{"prod-eu"}, "message-bus",
		[]string{"About 300 events of last night are missing.", "Duplicates are counted as missing since the new schema."},
		[]string{"Read the night again from the archive.", "Corrected the count; nothing was missing."}},
	{4, "reporting", "Report by eight in the morning", "", "timeliness", 95, 70, 93, []string{"prod-eu", "staging"}, "order-events",
		[]string{"The report waits for order events.", "The report is there, but empty."},
		[]string{"Started it again once the events were complete.", "Wrong date in the query after the turn of the month."}},
}

// breach is the body that SRE tooling posts.
func (w weakness) breach(status, deployment string, observed, depleted float64, at time.Time) []byte {
	body := map[string]any{
		"status": status, "service": w.service, "deployment": deployment, "sli": w.sli,
		"slo":               map[string]any{"name": w.slo, "objective": w.objective, "window": "28d"},
		"observed":          round(observed),
		"broken_by_percent": math.Round((100 - observed) / (100 - w.objective) * 100),
		"error_budget": map[string]any{
			"remaining_percent": round(100 - depleted*2.5), "depleted_percent": round(depleted), "depletion_window": "60m", "burn_rate": round(depleted * 28 * 24 / 100),
		},
		"started_at":  at.Add(-4 * time.Minute).Truncate(time.Second).Format(time.RFC3339),
		"environment": map[string]any{"cpu": fmt.Sprintf("%.0f%%", 40+depleted*2), "region": deployment},
		"links":       []any{map[string]any{"text": "Event logs", "href": "https://logs.lumen.example/q/" + w.service}},
	}
	if w.endpoint != "" {
		body["endpoint"] = w.endpoint
	}
	if w.dependency != "" {
		body["dependencies"] = []any{map[string]any{"service": w.dependency, "availability": round(observed + (100-observed)/2), "error_budget_remaining_percent": round(60 - depleted)}}
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // numbers and text alone
	}
	return text
}

// round keeps two digits after the point.
func round(x float64) float64 { return math.Round(x*100) / 100 }
