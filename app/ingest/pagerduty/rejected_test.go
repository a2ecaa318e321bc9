package pagerduty_test

import (
	"context"
	"log/slog"
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
