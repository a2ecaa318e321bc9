package server

import (
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/alertmanager"
	"github.com/tocsin-oncall/tocsin/app/ingest/pagerduty"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

// Formats are the wire formats that this server reads.
func Formats() (*ingest.Formats, error) {
	return ingest.NewFormats(
		slo.Format,
		pagerduty.Format,
		alertmanager.Format,
	)
}
