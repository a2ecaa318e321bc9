package pagerduty_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/pagerduty"
)

// rejections is the configuration and the list of a service that rejects.
type rejections struct {
	ingest.Rejections
	listed []ingest.Rejection
}

func (r *rejections) Snapshot(context.Context) (*catalog.Snapshot, error) {
	return catalog.NewSnapshot(catalog.Contents{
		Integrations: []catalog.Integration{{ID: 1, Kind: pagerduty.Kind, KeyHMAC: []byte(key)}},
	}), nil
}

func (r *rejections) Reload(ctx context.Context) (*catalog.Snapshot, error) { return r.Snapshot(ctx) }

func (r *rejections) Reject(_ context.Context, one ingest.Rejection) error {
	r.listed = append(r.listed, one)
	return nil
}

func TestRejectedBodyShowsNoRoutingKey(t *testing.T) {
	t.Parallel()
	other, third := strings.Repeat("ab", 16), strings.Repeat("cd", 16)
	for name, body := range map[string]string{
		"cut off":                   `{"routing_key":"` + other + `","event_action":"tri`,
		"cut off in the key":        `{"event_action":"trigger","routing_key":"` + other,
		"the same key":              `{"routing_key":"` + key + `",}`,
		"twice":                     `{"routing_key":"` + other + `","routing_key":"` + third + `",}`,
		"twice in what is refused":  `{"routing_key":"` + other + `","routing_key":"` + third + `","event_action":"snooze"}`,
		"named with an escape":      `{"routing\u005fkey":"` + other + `","event_action":"snooze"}`,
		"in another member too":     `{"routing_key" : "` + other + `","client":"pd ` + other + `"`,
		"deeper":                    `{"payload":{"routing_key":"` + other + `"},"event_action":"snooze"}`,
		"in single quotes":          `{'routing_key': '` + other + `', 'event_action': 'trigger'}`,
		"without quotes":            `{routing_key: ` + other + `, event_action: trigger}`,
		"encoded twice":             `"{\"routing_key\":\"` + other + `\",\"event_action\":\"trigger\"}"`,
		"a form":                    "event_action=trigger&routing_key=" + other + "&dedup_key=" + third[:8],
		"in a member of other case": `{"Routing_Key":"` + other + `"`,
		"in Ruby":                   `{"routing_key"=>"` + other + `", 'routing_key' => '` + third + `'}`,
		"in Python":                 `{u'routing_key': u'` + other + `'}`,
		"in an encoded form":        `payload=%7B%22routing_key%22%3A%22` + other + `%22%7D`,
		"in a part of a form":       "name=\"routing_key\"\r\n\r\n" + other + "\r\n--",
		"in XML":                    `<routing_key>` + other + `</routing_key>`,
		"in a list":                 `{"routing_key":["` + other + `"]`,
		"behind a space":            `{"routing_key":" ` + other + `","event`,
		"with a space in the name":  `{"routing_key ":"` + other + `","event`,
		"an earlier version's":      `{"service_key":"` + other + `","event`,
		"one that begins another":   `{"routing_key":"` + other[:20] + `","routing_key":"` + other + `",}`,
	} {
		r := &rejections{}
		formats, err := ingest.NewFormats(pagerduty.Format)
		if err != nil {
			t.Fatal(err)
		}
		service := ingest.NewService(ingest.ServiceOptions{Formats: formats, Config: r, Rejections: r,
			HMAC: func(key string) []byte { return []byte(key) }, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		_, err = service.Accept(t.Context(), ingest.Request{Endpoint: pagerduty.EventPath, Key: key, Body: []byte(body)})
		if err == nil || len(r.listed) != 1 {
			t.Errorf("%s: listed %+v, %v", name, r.listed, err)
			continue
		}
		for _, secret := range []string{key, other, third} {
			if got := string(r.listed[0].Body); strings.Contains(got, secret) || !strings.Contains(got, "***") {
				t.Errorf("%s: listed as %s", name, got)
			}
		}
	}
}

// TestRedactionIsLinear: a body full of keys costs no more than its length allows.
func TestRedactionIsLinear(t *testing.T) { // not parallel, since it counts what is allocated
	redact := pagerduty.Format.Endpoints[0].Redact
	full := func(size int) []byte {
		var body strings.Builder
		for i := 0; body.Len() < size; i++ {
			fmt.Fprintf(&body, "routing_key:%032d ", i)
		}
		return []byte(body.String())
	}
	allocated := func(size int) float64 {
		body := full(size)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		redact(body)
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	small, large := allocated(16<<10), allocated(256<<10)
	if large > 40*small {
		t.Errorf("16 times the body allocates %.0f times as much", large/small)
	}
	if got := string(redact(full(4 << 10))); strings.Contains(got, "00000000") {
		t.Errorf("left legible: %.200s", got)
	}
}
