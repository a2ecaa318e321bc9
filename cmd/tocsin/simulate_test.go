package main

import (
	"strings"
	"testing"
)

const breach = `{"service": "checkout-api", "deployment": "prod-eu", "sli": "availability", "incident_priority": 2,
	"slo": {"name": "Availability of get data API", "objective": 99.7, "window": "28d"}, "observed": 98.9}`

func TestSimulate(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		k.ok("apply", "-f", example)
		file := write(t, breach)
		at := []string{"--at", "2026-12-01 03:00"}

		got := k.ok(append([]string{"simulate", "-f", file, "--integration", "sre", "--for", "1w"}, at...)...)
		wantWords(t, got, "Tuesday, 1 December 2026 (Europe/Berlin)", "03:00:00", "Checkout API in prod-eu",
			"main on call in Payments: Chiara Conti.", "backup on call in Payments: Ana Ortiz.", "Ana Ortiz by SMS", "Dana Levi")

		// By the person notified last: the main person, the backup, or the named one.
		for ack, want := range map[string]string{"20m": "Chiara Conti acknowledges.", "70m": "Ana Ortiz acknowledges.", "5m=ben@acme.example": "Ben Adeyemi acknowledges."} {
			got := k.ok(append([]string{"simulate", "-f", file, "--service", "checkout-api", "--ack", ack}, at...)...)
			wantWords(t, got, want, "Nothing more happens.")
			if ack == "20m" && strings.Contains(got, "Ana Ortiz") {
				t.Errorf("the backup is paged although the main person acknowledges:\n%s", got)
			}
		}

		s := k.runWith(`{"service": "checkout-api", "sli": 1}`, "simulate", "-f", "-", "--service", "checkout-api")
		if s.code != 1 {
			t.Errorf("a breach that cannot be accepted: exit %d", s.code)
		}
		wantWords(t, s.err, "sli: ", "slo.name: ")
		wantWords(t, k.fails(1, "simulate", "-f", file, "--integration", "none"), "There is no integration none.")
		wantWords(t, k.fails(1, "simulate", "-f", file, "--service", "none"), "none")
		wantWords(t, k.fails(1, "simulate", "-f", file, "--service", "checkout-api", "--ack", "soon"), `"soon" is no acknowledgment`)
		wantWords(t, k.fails(1, "simulate", "-f", file, "--service", "checkout-api", "--for", "soon"), `"soon" is no length of time`)
		wantWords(t, k.fails(1, "simulate", "-f", file, "--service", "online-shop", "--ack", "1s"), "Nobody would have been told before 1s after the signal")
		wantWords(t, k.fails(2, "simulate", "-f", file), "integration")
	})
}
