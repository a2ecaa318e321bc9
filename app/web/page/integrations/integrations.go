// Package integrations has the pages about integrations: what they sent, their
// keys, and how a sender is configured.
package integrations

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

// Incidents reads the titles of incidents, by number.
type Incidents interface {
	IncidentTitles(ctx context.Context, numbers []int64) (map[int64]string, error)
}

// Signals reads what integrations sent, and their keys.
type Signals interface {
	LastSignals(ctx context.Context, integrationID int64, limit int) ([]incident.Alert, error)
	Rejections(ctx context.Context, integrationID, before int64, limit int) ([]ingest.Rejection, error)
	Rejection(ctx context.Context, id int64) (ingest.Rejection, error)
	// SignalCounts are by integration: when the last signal came, and how many were
	// rejected and not replayed.
	SignalCounts(ctx context.Context) (map[int64]ingest.SignalCounts, error)
	// RevealKey decrypts an integration's key for an actor, with an entry in the
	// audit log each time; IntegrationKey does so for Tocsin itself, without one.
	RevealKey(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string) (string, error)
	IntegrationKey(ctx context.Context, keys *auth.Keyring, slug string) (string, error)
}

// Replays submits a rejected signal again: ingest.Service.
type Replays interface {
	Replay(ctx context.Context, rejectionID int64, actor string) ([]ingest.Answer, error)
}

// Deps is what the pages need. All are required.
type Deps struct {
	Incidents Incidents
	Signals   Signals
	Replays   Replays
	Tests     page.TestSender
	Keys      *auth.Keyring
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the pages.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/integrations", p.Require(auth.ViewIntegrations, p.listIntegrations))
	p.Routes.Get("/integrations/:slug", p.Require(auth.ViewIntegrations, p.showIntegration))
	p.Routes.Post("/integrations/:slug/key", p.Require(auth.ViewIntegrations, p.revealKey))
	p.Routes.Post("/integrations/:slug/test", p.Require(auth.Page, p.testIntegration))
	p.Routes.Post("/integrations/:slug/rejected/:id/replay", p.Require(auth.ViewIntegrations, p.replay))
}
