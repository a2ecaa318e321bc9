package page

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// IntegrationObject is an integration as an object of permissions: its service's
// team's.
func (req *Request) IntegrationObject(i organization.IntegrationRecord) auth.Object {
	return auth.Object{ManagerID: req.Config.Manager(i.ServiceID)}
}

// ExampleService is the service of an integration, or any where it has none; the
// zero value where there are no services.
func (req *Request) ExampleService(i organization.IntegrationRecord) catalog.Service {
	if i.ServiceID != nil {
		return req.Config.Service(*i.ServiceID)
	}
	if refs := req.Config.ServiceRefs(); len(refs) > 0 {
		s, _ := req.Config.ServiceNamed(refs[0].Slug)
		return s
	}
	return catalog.Service{}
}

// WouldPage is whom a signal would page now, and how: "Ana Ortiz by SMS". Empty for
// nobody, and where the service depends on the body.
func (p *Pages) WouldPage(req *Request, i organization.IntegrationRecord) string {
	if i.ServiceID == nil {
		return ""
	}
	words, _ := p.PagedFor(req, req.Config.Service(*i.ServiceID))
	return words
}

// PagedFor are those whom a signal of high urgency for a service would page first
// now, and in words with the medium of each: "Ana Ortiz by SMS".
func (p *Pages) PagedFor(req *Request, s catalog.Service) (words string, people []element.Person) {
	var each []string
	for _, r := range req.FirstPaged(s) {
		n, ok := req.Config.Recipients[r.UserID].Notification(0, "high", p.Works)
		if ok && !r.Shadow {
			person := req.Config.Person(r.UserID)
			each, people = append(each, person.Name+" "+n.Method.Medium.Phrase()), append(people, person)
		}
	}
	return element.And(each), people
}

// TestServices are the services that a test of an integration can be for, by name: its
// own, or any where it has none.
func (req *Request) TestServices(i organization.IntegrationRecord) []catalog.Service {
	if i.ServiceID != nil {
		return []catalog.Service{req.Config.Service(*i.ServiceID)}
	}
	return slices.SortedFunc(slices.Values(req.Config.Services), func(a, b catalog.Service) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slug, b.Slug))
	})
}

// ReachedBy is by which channels a person is paged: "by SMS, after 5 min by email".
// It is empty where no channel carries any of their contacts.
func (p *Pages) ReachedBy(req *Request, userID int64, urgency string) string {
	to := req.Config.Recipients[userID]
	used := map[int64]bool{}
	var words []string
	for i := range len(to.Methods) {
		n, ok := to.Notification(i, urgency, p.Works)
		if !ok || used[n.Method.ID] {
			break
		}
		used[n.Method.ID] = true
		if n.After > 0 {
			words = append(words, "after "+element.Duration(n.After)+" "+n.Method.Medium.Phrase())
		} else {
			words = append(words, n.Method.Medium.Phrase())
		}
	}
	return strings.Join(words, ", ")
}

// FirstPaged are those whom a signal of high urgency for a service would page first now.
func (req *Request) FirstPaged(s catalog.Service) []escalation.Reached {
	return req.FirstPagedWith(s, nil)
}

// FirstPagedWith are those whom an incident of a service with a priority pages first.
func (req *Request) FirstPagedWith(s catalog.Service, priority *int) []escalation.Reached {
	firings := req.FirstFirings(s, priority)
	return firings[len(firings)-1].People
}

// FirstFirings are the decisions that an incident of a service with a priority leads to
// first, the last being that which pages somebody or is held: see Policy.Fire.
func (req *Request) FirstFirings(s catalog.Service, priority *int) []escalation.Firing {
	var policy escalation.Policy
	if s.PolicyID != nil {
		policy = req.Config.Policy(*s.PolicyID).Policy
	}
	firings, _ := policy.Fire(escalation.State{Phase: escalation.PhaseSteps}, req.Clock.Now, priority, req.Config.Roster.At(req.Clock.Now))
	return firings
}

// TestSender sends test signals. All of it is required.
type TestSender struct {
	Formats *ingest.Formats
	Signals Signals
	// Key reads an integration's key.
	Key func(ctx context.Context, slug string) (string, error)
}

// Signals accepts signals: ingest.Service.
type Signals interface {
	Accept(ctx context.Context, req ingest.Request) ([]ingest.Answer, error)
}

// Path is where senders to an integration of a kind post, without the key; empty
// for a kind that is not registered.
func (t TestSender) Path(kind string) string {
	if format, ok := t.Formats.Kind(kind); ok {
		return format.Endpoints[0].Path
	}
	return ""
}

// Name is a kind's name for people: that of its format, or the kind where it is
// not registered any more.
func (t TestSender) Name(kind string) string {
	if format, ok := t.Formats.Kind(kind); ok {
		return format.Name
	}
	return kind
}

// Signal is what people call a signal of a kind: "breach", "alert".
func (t TestSender) Signal(kind string) string {
	if format, ok := t.Formats.Kind(kind); ok && format.Signal != "" {
		return format.Signal
	}
	return "signal"
}

// Snippets are what a person copies into the configuration of a sender of a kind.
// url is the public address of this installation, without a slash at its end; an
// empty key leaves a variable in its place. The native format has none: pages show
// a command of its own, which names a service.
func (t TestSender) Snippets(kind, url, key string) []element.Snippet {
	format, ok := t.Formats.Kind(kind)
	if !ok || kind == catalog.KindSLO {
		return nil
	}
	var all []element.Snippet
	for _, s := range format.Snippets(url, cmp.Or(key, element.KeyVariable)) {
		all = append(all, element.Snippet{Title: s.Title, Text: s.Text})
	}
	return all
}

// Possible reports whether there is a test signal of a kind.
func (t TestSender) Possible(kind string) bool {
	format, ok := t.Formats.Kind(kind)
	return ok && format.Sample != nil
}

// TestTitle is the title of a test signal of a kind by the reader.
func (t TestSender) TestTitle(req *Request, kind string) string {
	return "Test " + t.Signal(kind) + " by " + req.User.Name
}

// Send posts a test signal for a service as the integration's sender would, through
// the same path as a real one. Each opens an incident of its own, unless the integration's
// dedup rule joins them, as it would real ones.
func (t TestSender) Send(ctx context.Context, req *Request, i organization.IntegrationRecord, service catalog.Service, remote string) (ingest.Answer, error) {
	key, err := t.Key(ctx, i.Slug)
	if err != nil {
		return ingest.Answer{}, err
	}
	format, ok := t.Formats.Kind(i.Kind)
	if !ok || format.Sample == nil {
		return ingest.Answer{}, fault.Conflict("There is no test signal for an integration of kind %s.", i.Kind)
	}
	answers, err := t.Signals.Accept(ctx, ingest.Request{
		Endpoint: format.Endpoints[0].Path, Key: key, ContentType: "application/json", Remote: remote,
		Body: format.Sample(ingest.Sample{
			Service: service.Slug, Title: t.TestTitle(req, i.Kind),
			DedupKey: fmt.Sprintf("test %d %d", req.User.ID, req.Clock.Now.UnixMicro()),
		}),
	})
	if err != nil {
		return ingest.Answer{}, err
	}
	if answers[0].Incident == nil {
		return ingest.Answer{}, fault.Conflict("The test %s was %s, and opened no incident.", t.Signal(i.Kind), answers[0].Status)
	}
	return answers[0], nil
}
