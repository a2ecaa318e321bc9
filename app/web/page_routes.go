package web

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Pages is what the pages for people stand on, beside the rest of Deps. All of
// it is required.
type Pages struct {
	Catalog   PageCatalog
	Incidents PageIncidents
	Signals   PageSignals
	Replays   Replays
	Contacts  *notify.Contacts
	Keys      *auth.Keyring
	// OnlyLog says that no channel is configured, so that pages only reach the
	// log.
	OnlyLog bool
}

// PageCatalog changes the little of the configuration that pages change.
type PageCatalog interface {
	// Configuration and Apply carry out what the first run sets up.
	Configuration(ctx context.Context, keys *auth.Keyring) (*blueprint.State, error)
	Apply(ctx context.Context, by auth.Actor, keys *auth.Keyring, plan *blueprint.Plan) error
}

// PageIncidents reads incidents, and what only pages show of them.
type PageIncidents interface {
	Incidents
	// OpenIncidents counts those of each service.
	OpenIncidents(ctx context.Context) (map[int64]incident.ServiceCounts, error)
	// IncidentTitles are by number.
	IncidentTitles(ctx context.Context, numbers []int64) (map[int64]string, error)
}

// PageSignals reads what integrations sent.
type PageSignals interface {
	LastSignals(ctx context.Context, integrationID int64, limit int) ([]incident.Alert, error)
	Rejections(ctx context.Context, integrationID, before int64, limit int) ([]ingest.Rejection, error)
	Rejection(ctx context.Context, id int64) (ingest.Rejection, error)
	// SignalCounts tell, by integration, when something came last and how much
	// was rejected and not replayed.
	SignalCounts(ctx context.Context) (map[int64]ingest.SignalCounts, error)
	// RevealKey opens an integration's key for an actor, which the audit log
	// tells each time, and of ShowKey once a person and key; IntegrationKey does
	// for Tocsin itself.
	RevealKey(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string) (string, error)
	ShowKey(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string) (string, error)
	IntegrationKey(ctx context.Context, keys *auth.Keyring, slug string) (string, error)
}

// Replays runs a rejected signal again.
type Replays interface {
	Replay(ctx context.Context, rejectionID int64, actor string) ([]ingest.Answer, error)
}

// pages are the handlers of everything that people open in a browser. A handler
// reads, acts and renders; what may be done comes to the views as booleans.
type pages struct {
	*edge
	seen atomic.Pointer[picture]
}

func (h *edge) pageRoutes(r routes) {
	p := &pages{edge: h}
	h.errorPage = p.failed

	p.doorRoutes(r)
	p.incidentRoutes(r)
	p.onCallRoutes(r)
	p.catalogRoutes(r)
	p.accountRoutes(r)
	p.peopleRoutes(r)
	p.startRoutes(r)
}

// doorRoutes are open to those who are not signed in.
func (p *pages) doorRoutes(r routes) {
	r.get("/", p.to(auth.ViewOnCall, p.home))
	r.get("/sign-in", p.askToSignIn)
	r.post("/sign-in", p.signIn)
	r.post("/sign-out", p.signOut)
	r.get("/setup/:token", p.askToSetUp)
	r.post("/setup/:token", p.setUp)
	r.get("/password/:token", p.askForPassword)
	r.post("/password/:token", p.setPassword)
	r.get("/a/:token", p.openLink)
	r.post("/a/:token", p.answerLink)
}

func (p *pages) incidentRoutes(r routes) {
	r.get("/incidents", p.to(auth.ViewIncidents, p.listIncidents))
	r.post("/incidents/acknowledge", p.to(auth.ActOnIncident, p.acknowledgeMany))
	r.get("/incidents/:number", p.to(auth.ViewIncidents, p.showIncident))
	r.post("/incidents/:number/acknowledge", p.to(auth.ActOnIncident, p.acknowledge))
	r.post("/incidents/:number/resolve", p.to(auth.ActOnIncident, p.resolve))
	r.post("/incidents/:number/undo-resolve", p.to(auth.ActOnIncident, p.undoResolve))
	r.post("/incidents/:number/reopen", p.to(auth.ActOnIncident, p.reopen))
	r.post("/incidents/:number/escalate", p.to(auth.ActOnIncident, p.escalate))
	r.post("/incidents/:number/notes", p.to(auth.ActOnIncident, p.note))
	r.post("/incidents/:number/priority", p.to(auth.ActOnIncident, p.setPriority))
	r.get("/incidents/:number/pages/:id", p.to(auth.ViewIncidents, p.why))
}

// home leads to where a person's day begins.
func (p *pages) home(c echo.Context, v *visit) error {
	switch {
	case v.picture.fresh() && v.may(auth.Configure):
		return c.Redirect(http.StatusSeeOther, "/start")
	case v.may(auth.ViewIncidents):
		return c.Redirect(http.StatusSeeOther, "/incidents")
	}
	return c.Redirect(http.StatusSeeOther, "/oncall")
}
