package web

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/integrations"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

func (p *pages) catalogRoutes(r routes) {
	r.get("/services", p.to(auth.ViewCatalog, p.listServices))
	r.get("/services/:slug", p.to(auth.ViewCatalog, p.showService))
	r.get("/teams", p.to(auth.ViewCatalog, p.listTeams))
	r.get("/teams/:slug", p.to(auth.ViewCatalog, p.showTeam))
	r.get("/integrations", p.to(auth.ViewCatalog, p.listIntegrations))
	r.get("/integrations/:slug", p.to(auth.ViewCatalog, p.showIntegration))
	r.post("/integrations/:slug/key", p.to(auth.ViewCatalog, p.revealKey))
	r.post("/integrations/:slug/test", p.to(auth.Page, p.testIntegration))
	r.post("/integrations/:slug/rejected/:id/replay", p.to(auth.ViewCatalog, p.replay))
}

func (p *pages) listIntegrations(c echo.Context, v *visit) error {
	frame, err := p.frame(c, v, "Integrations", layout.Integrations)
	if err != nil {
		return err
	}
	counts, err := p.Pages.Signals.SignalCounts(c.Request().Context())
	if err != nil {
		return err
	}
	page := integrations.ListPage{Frame: frame}
	for _, i := range slices.SortedFunc(slices.Values(v.picture.Integrations), func(a, b blueprint.KeptIntegration) int { return cmp.Compare(a.Name, b.Name) }) {
		page.Integrations = append(page.Integrations, integrations.ListRow{
			Integration: element.Ref{Slug: i.Slug, Name: i.Name}, Kind: p.formatName(i.Kind), Service: v.picture.serviceRef(i.ServiceID),
			LastAt: instant(counts[i.ID].LastAt), Rejected: counts[i.ID].Rejected,
		})
	}
	return render(c, http.StatusOK, integrations.List(page))
}

func (v *visit) integration(c echo.Context) (blueprint.KeptIntegration, error) {
	i := slices.IndexFunc(v.picture.Integrations, func(i blueprint.KeptIntegration) bool { return i.Slug == c.Param("slug") })
	if i < 0 {
		return blueprint.KeptIntegration{}, fault.NotFound("There is no integration %q.", c.Param("slug"))
	}
	return v.picture.Integrations[i], nil
}

// managed is the integration as an object of permissions: its service's team's.
func (v *visit) managed(i blueprint.KeptIntegration) auth.Object {
	return auth.Object{ManagerID: v.picture.manager(i.ServiceID)}
}

func (p *pages) showIntegration(c echo.Context, v *visit) error {
	return p.integrationPage(c, v, "")
}

// revealKey shows the key in its answer, which the audit log tells.
func (p *pages) revealKey(c echo.Context, v *visit) error {
	i, err := v.integration(c)
	if err != nil {
		return err
	}
	if err := auth.Allow(v.actor, auth.RevealKey, v.managed(i)); err != nil {
		return err
	}
	key, err := p.Pages.Signals.RevealKey(c.Request().Context(), v.actor, p.Pages.Keys, i.Slug)
	if err != nil {
		return err
	}
	return p.integrationPage(c, v, key)
}

const (
	// mostSignals and rejectedAPage bound what an integration's page lists.
	mostSignals   = 10
	rejectedAPage = 20
	// keyEnd is how much of a key tells it from others.
	keyEnd = 4
)

func (p *pages) integrationPage(c echo.Context, v *visit, revealed string) error {
	ctx := c.Request().Context()
	i, err := v.integration(c)
	if err != nil {
		return err
	}
	frame, err := p.frame(c, v, i.Name, layout.Integrations)
	if err != nil {
		return err
	}
	key, err := p.Pages.Signals.IntegrationKey(ctx, p.Pages.Keys, i.Slug)
	if err != nil {
		return err
	}
	page := integrations.Page{
		Frame: frame, Integration: element.Ref{Slug: i.Slug, Name: i.Name}, Kind: p.formatName(i.Kind), Service: v.picture.serviceRef(i.ServiceID),
		Endpoint: p.endpointOf(i.Kind), Key: revealed, KeyEnd: key[max(0, len(key)-keyEnd):],
		MayReveal: v.mayTo(auth.RevealKey, v.managed(i)), MayReplay: v.mayTo(auth.ReplaySignal, v.managed(i)), MayTest: v.may(auth.Page),
		RateLimit: i.RateLimit, Dedup: i.Dedup, ExampleService: v.exampleService(i).Slug, WouldPage: p.wouldPage(v, i),
	}
	page.Snippets = p.snippets(i.Kind, revealed)
	if i.ServiceID == nil {
		page.CatchAll = v.picture.serviceRef(v.picture.Organization.CatchAllServiceID)
	}
	if page.Signals, err = p.signals(c, i.ID); err != nil {
		return err
	}
	before, _ := parseNumber(c.QueryParam("before"))
	if err := p.fillRejected(c, v, &page, i.ID, before); err != nil {
		return err
	}
	return render(c, http.StatusOK, integrations.Integration(page))
}

// formatName is a wire format's name for people, or its kind where it is not
// registered any more.
func (h *edge) formatName(kind string) string {
	if format, ok := h.Formats.Kind(kind); ok {
		return format.Name
	}
	return kind
}

// snippets are the texts of a format with the key, where it is revealed. The
// native format has a command of its own, which names a service.
func (h *edge) snippets(kind, key string) []integrations.Snippet {
	format, ok := h.Formats.Kind(kind)
	if !ok || kind == catalog.KindSLO {
		return nil
	}
	if key == "" {
		key = "$TOCSIN_KEY"
	}
	var all []integrations.Snippet
	for _, s := range format.Snippets(h.PublicURL, key) {
		all = append(all, integrations.Snippet{Title: s.Title, Text: s.Text})
	}
	return all
}

// signals are those that were accepted lately.
func (p *pages) signals(c echo.Context, integrationID int64) ([]integrations.Signal, error) {
	ctx := c.Request().Context()
	alerts, err := p.Pages.Signals.LastSignals(ctx, integrationID, mostSignals)
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, len(alerts))
	for i, a := range alerts {
		numbers[i] = a.IncidentNo
	}
	titles, err := p.Pages.Incidents.IncidentTitles(ctx, numbers)
	if err != nil {
		return nil, err
	}
	list := make([]integrations.Signal, len(alerts))
	for i, a := range alerts {
		list[i] = integrations.Signal{At: a.LastSeenAt, Status: "recovered", Title: titles[a.IncidentNo], DedupKey: a.DedupKey, Incident: a.IncidentNo, Count: a.Occurrences}
		if a.Firing {
			list[i].Status = "breached"
		}
	}
	return list, nil
}

func (p *pages) fillRejected(c echo.Context, v *visit, page *integrations.Page, integrationID, before int64) error {
	rejections, err := p.Pages.Signals.Rejections(c.Request().Context(), integrationID, before, rejectedAPage+1)
	if err != nil {
		return err
	}
	if len(rejections) > rejectedAPage {
		rejections = rejections[:rejectedAPage]
		page.OlderRejected = "before=" + formatInt(rejections[rejectedAPage-1].ID)
	}
	for _, r := range rejections {
		page.Rejected = append(page.Rejected, v.rejected(r))
	}
	return nil
}

func (v *visit) rejected(r ingest.Rejection) integrations.Rejected {
	row := integrations.Rejected{ID: r.ID, At: r.ReceivedAt, Status: r.Status, Reason: r.Reason, ContentType: r.ContentType, Remote: r.Remote,
		ReplayedAt: instant(r.ReplayedAt), ReplayResult: r.ReplayResult}
	if r.ReplayedAt != nil {
		row.ReplayedBy = v.picture.actor(r.ReplayedBy)
	}
	for _, f := range r.Fields {
		row.Fields = append(row.Fields, integrations.FieldFault(f))
	}
	row.Body, row.Truncated = shown(r.Body)
	row.Truncated = row.Truncated || r.Status == http.StatusRequestEntityTooLarge
	return row
}
