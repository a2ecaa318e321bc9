package integrations

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/integrations"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

func (p *handlers) listIntegrations(c echo.Context, req *page.Request) error {
	frame, err := p.Frame(c, req, "Integrations", layout.Integrations)
	if err != nil {
		return err
	}
	counts, err := p.Signals.SignalCounts(c.Request().Context())
	if err != nil {
		return err
	}
	data := view.ListPage{Frame: frame}
	for _, i := range slices.SortedFunc(slices.Values(req.Config.Integrations), func(a, b organization.IntegrationRecord) int { return cmp.Compare(a.Name, b.Name) }) {
		data.Integrations = append(data.Integrations, view.ListRow{
			Integration: element.Ref{Slug: i.Slug, Name: i.Name}, Kind: p.Tests.Name(i.Kind), Service: req.Config.ServiceRef(i.ServiceID),
			LastAt: page.Instant(counts[i.ID].LastAt), Rejected: counts[i.ID].Rejected,
		})
	}
	return page.Render(c, http.StatusOK, view.List(data))
}

func findIntegration(req *page.Request, c echo.Context) (organization.IntegrationRecord, error) {
	i := slices.IndexFunc(req.Config.Integrations, func(i organization.IntegrationRecord) bool { return i.Slug == c.Param("slug") })
	if i < 0 {
		return organization.IntegrationRecord{}, fault.NotFound("There is no integration %q.", c.Param("slug"))
	}
	return req.Config.Integrations[i], nil
}

func (p *handlers) showIntegration(c echo.Context, req *page.Request) error {
	return p.integrationPage(c, req, "")
}

// revealKey shows the key in its answer; the audit log records it.
func (p *handlers) revealKey(c echo.Context, req *page.Request) error {
	i, err := findIntegration(req, c)
	if err != nil {
		return err
	}
	if err := auth.Allow(req.Actor, auth.RevealKey, req.IntegrationObject(i)); err != nil {
		return err
	}
	key, err := p.Signals.RevealKey(c.Request().Context(), req.Actor, p.Keys, i.Slug)
	if err != nil {
		return err
	}
	return p.integrationPage(c, req, key)
}

const (
	// maxSignals and rejectedPageSize bound what an integration's page lists.
	maxSignals       = 10
	rejectedPageSize = 20
	// keyEnd is how many characters of a key are shown to identify it.
	keyEnd = 4
)

func (p *handlers) integrationPage(c echo.Context, req *page.Request, revealed string) error {
	ctx := c.Request().Context()
	i, err := findIntegration(req, c)
	if err != nil {
		return err
	}
	frame, err := p.Frame(c, req, i.Name, layout.Integrations)
	if err != nil {
		return err
	}
	key, err := p.Signals.IntegrationKey(ctx, p.Keys, i.Slug)
	if err != nil {
		return err
	}
	data := view.Page{
		Frame: frame, Integration: element.Ref{Slug: i.Slug, Name: i.Name}, Kind: p.Tests.Name(i.Kind), Service: req.Config.ServiceRef(i.ServiceID),
		Key: revealed, KeyEnd: key[max(0, len(key)-keyEnd):],
		MayReveal: req.MayOn(auth.RevealKey, req.IntegrationObject(i)), MayReplay: req.MayOn(auth.ReplaySignal, req.IntegrationObject(i)), MayTest: req.May(auth.Page) && p.Tests.Possible(i.Kind),
		RateLimit: i.RateLimit, Dedup: i.Dedup, ExampleService: req.ExampleService(i).Slug, WouldPage: p.WouldPage(req, i),
	}
	data.Noun = p.Tests.Signal(i.Kind)
	data.MayTestAlone = p.OpenForMe != nil
	if data.MayTest {
		for _, s := range req.TestServices(i) {
			words, people := p.PagedFor(req, s)
			data.Tests = append(data.Tests, view.TestTarget{Service: element.Ref{Slug: s.Slug, Name: s.Name}, Pages: words, People: people})
		}
		data.MayTest = len(data.Tests) > 0
	}
	if path := p.Tests.Path(i.Kind); path != "" {
		data.Endpoint, data.Native = p.PublicURL()+path, i.Kind == catalog.KindSLO
	}
	if format, ok := p.Tests.Formats.Kind(i.Kind); ok {
		data.Identity = format.Identity
	}
	data.Snippets = p.Tests.Snippets(i.Kind, p.PublicURL(), revealed)
	if i.ServiceID == nil {
		data.CatchAll = req.Config.ServiceRef(req.Config.Organization.CatchAllServiceID)
	}
	if data.Signals, err = p.signals(c, i); err != nil {
		return err
	}
	before, _ := web.ParseNumber(c.QueryParam("before"))
	if err := p.fillRejected(c, req, &data, i.ID, before); err != nil {
		return err
	}
	return page.Render(c, http.StatusOK, view.Integration(data))
}

// signals are the latest that were accepted.
func (p *handlers) signals(c echo.Context, of organization.IntegrationRecord) ([]view.Signal, error) {
	ctx := c.Request().Context()
	alerts, err := p.Signals.LastSignals(ctx, of.ID, maxSignals)
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, len(alerts))
	for i, a := range alerts {
		numbers[i] = a.IncidentNo
	}
	titles, err := p.Incidents.IncidentTitles(ctx, numbers)
	if err != nil {
		return nil, err
	}
	firing, ended := "firing", "resolved"
	if of.Kind == catalog.KindSLO {
		firing, ended = "breached", "recovered"
	}
	list := make([]view.Signal, len(alerts))
	for i, a := range alerts {
		list[i] = view.Signal{At: a.LastSeenAt, Status: ended, Title: titles[a.IncidentNo], DedupKey: a.DedupKey, Incident: a.IncidentNo, Count: a.Occurrences}
		switch {
		case a.Firing:
			list[i].Status = firing
		case a.IncidentNo == 0:
			list[i].Status = "recorded"
		}
	}
	return list, nil
}

func (p *handlers) fillRejected(c echo.Context, req *page.Request, data *view.Page, integrationID, before int64) error {
	rejections, err := p.Signals.Rejections(c.Request().Context(), integrationID, before, rejectedPageSize+1)
	if err != nil {
		return err
	}
	if len(rejections) > rejectedPageSize {
		rejections = rejections[:rejectedPageSize]
		data.OlderRejected = "before=" + web.FormatInt(rejections[rejectedPageSize-1].ID)
	}
	for _, r := range rejections {
		data.Rejected = append(data.Rejected, rejectedRow(req, r))
	}
	return nil
}

func rejectedRow(req *page.Request, r ingest.Rejection) view.Rejected {
	row := view.Rejected{ID: r.ID, At: r.ReceivedAt, Status: r.Status, Reason: r.Reason, ContentType: r.ContentType, Remote: r.Remote,
		ReplayedAt: page.Instant(r.ReplayedAt), ReplayResult: r.ReplayResult}
	if r.ReplayedAt != nil {
		row.ReplayedBy = req.Config.ActorName(r.ReplayedBy)
	}
	for _, f := range r.Fields {
		if f.Path != "" {
			row.Fields = append(row.Fields, view.FieldFault(f.Field))
		}
	}
	row.Body, row.Truncated = page.BodyText(r.Body)
	row.Truncated = row.Truncated || r.Status == http.StatusRequestEntityTooLarge
	return row
}
