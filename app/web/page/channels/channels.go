// Package channels has the page that sets up the providers that carry messages.
package channels

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/provider"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/channels"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Results reads what became of the last messages.
type Results interface {
	LastResults(ctx context.Context) (map[notify.Medium]notify.LastResults, error)
}

// Deps is what the page needs. All are required.
type Deps struct {
	Providers *provider.Set
	Results   Results
	Keys      *auth.Keyring
}

const address = "/settings/channels"

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the page and its forms.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get(address, p.Require(auth.ManageProviders, p.show))
	p.Routes.Post(address+"/:provider", p.Require(auth.ManageProviders, p.act))
}

func (p *handlers) show(c echo.Context, req *page.Request) error {
	return p.showChannels(c, req, http.StatusOK, "", func(*view.Provider) {})
}

// showChannels renders the page; change adds what a form of the provider returns.
func (p *handlers) showChannels(c echo.Context, req *page.Request, status int, name string, change func(*view.Provider)) error {
	ctx := c.Request().Context()
	frame, err := p.Frame(c, req, "Channels", layout.Channels)
	if err != nil {
		return err
	}
	version, settings, err := p.Providers.Settings(ctx, req.Actor)
	if err != nil {
		return err
	}
	results, err := p.Results.LastResults(ctx)
	if err != nil {
		return err
	}
	data := view.Page{Frame: frame, Version: version, Verify: p.toVerify(req)}
	for _, s := range settings {
		v := providerView(req, s, results[s.Kind.Medium])
		if s.Kind.Name == name {
			change(&v)
		}
		data.Providers = append(data.Providers, v)
	}
	return page.Render(c, status, view.Channels(data))
}

func providerView(req *page.Request, s provider.Setting, last notify.LastResults) view.Provider {
	v := view.Provider{Name: s.Kind.Name, Title: s.Kind.Title, Help: s.Kind.Help, Medium: string(s.Kind.Medium),
		Locked: s.Source == provider.Environment, Variables: s.Kind.Variables, Saved: s.Source == provider.Browser,
		UpdatedBy: req.Config.ActorName(s.UpdatedBy), UpdatedAt: s.UpdatedAt, Problem: s.Problem, Reason: last.Reason,
		To: element.Field{Value: ownAddress(req, s.Kind.Medium)}}
	if s.Source == provider.None { // what was accepted went to the log, or by settings that were removed
		v.Reason, last = "", notify.LastResults{}
	}
	if last.Accepted != nil {
		v.Accepted = *last.Accepted
	}
	if last.Failed != nil {
		v.Failed = *last.Failed
	}
	public := s.Kind.Public(s.Values)
	for _, f := range s.Kind.Fields {
		field := view.Field{Name: f.Name, Label: f.Label, Hint: f.Hint, Secret: f.Secret, Needed: !f.Optional, Rare: f.Rare,
			Known: f.Secret && s.Values[f.Name] != "", Field: element.Field{Value: public[f.Name]}}
		if s.Source == provider.None {
			field.Field.Value = f.Default
		}
		for _, o := range f.Options {
			field.Options = append(field.Options, element.Option{Value: o.Value, Text: o.Text})
		}
		v.Fields = append(v.Fields, field)
	}
	return v
}

// toVerify are the reader's addresses on channels that work, where they have no contact
// method on one of these.
func (p *handlers) toVerify(req *page.Request) []view.OwnAddress {
	if !req.Config.Unreachable(req.User.ID) || p.OnlyLog() {
		return nil
	}
	var all []view.OwnAddress
	for _, medium := range notify.Media {
		own := view.OwnAddress{Medium: string(medium), Address: ownAddress(req, medium)}
		if own.Address == "" || !p.Works(medium) {
			continue
		}
		for _, m := range req.Config.Recipients[req.User.ID].Methods {
			if m.Medium == medium && m.Address == own.Address {
				own.ContactID = m.ID
			}
		}
		all = append(all, own)
	}
	return all
}

// ownAddress is the reader's address on a medium: a verified one first, then any; of
// email, that of the account where there is none.
func ownAddress(req *page.Request, m notify.Medium) string {
	own := ""
	for _, method := range req.Config.Recipients[req.User.ID].Methods {
		switch {
		case method.Medium != m:
		case method.VerifiedAt != nil:
			return method.Address
		case own == "":
			own = method.Address
		}
	}
	if own == "" && m == notify.Email {
		own = req.User.Email
	}
	return own
}

// act saves, tests or removes the settings of a provider.
func (p *handlers) act(c echo.Context, req *page.Request) error {
	kind, err := provider.KindNamed(c.Param("provider"))
	if err != nil {
		return err
	}
	switch c.FormValue("do") {
	case "save":
		return p.save(c, req, kind)
	case "test":
		return p.test(c, req, kind)
	case "remove":
		return p.remove(c, req, kind)
	}
	return fault.Malformed("Choose whether to save, test or remove the settings.")
}

func (p *handlers) save(c echo.Context, req *page.Request, kind provider.Kind) error {
	typed := p.typed(c, kind)
	err := p.Providers.Save(c.Request().Context(), req.Actor, kind.Name, typed, version(c))
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showChannels(c, req, http.StatusUnprocessableEntity, kind.Name, p.again(c, kind, typed, faults))
	}
	if err != nil {
		return p.Refused(c, address, err)
	}
	return p.Done(c, address, "Saved. %s is used from now on.", kind.Title)
}

func (p *handlers) remove(c echo.Context, req *page.Request, kind provider.Kind) error {
	if err := p.Providers.Remove(c.Request().Context(), req.Actor, kind.Name, version(c)); err != nil {
		return p.Refused(c, address, err)
	}
	return p.Done(c, address, "Removed. Nothing is sent by %s any more.", kind.Title)
}

// version is the version of the settings that the form shows. Without one it is that of
// no settings, which is a conflict.
func version(c echo.Context) int64 {
	n, err := strconv.ParseInt(c.FormValue("version"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// testTimeout bounds the wait for the provider's answer.
const testTimeout = notify.CallTimeout

// test sends a message with the settings of the form, saved or not, and shows the
// provider's answer.
func (p *handlers) test(c echo.Context, req *page.Request, kind provider.Kind) error {
	typed, to := p.typed(c, kind), c.FormValue("to")
	normal, err := notify.NormalizeAddress(kind.Medium, to)
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showChannels(c, req, http.StatusUnprocessableEntity, kind.Name, func(v *view.Provider) {
			p.again(c, kind, typed, nil)(v)
			v.To = element.Field{Value: to, Error: faults["address"]}
		})
	}
	account, err := p.Providers.Open(c.Request().Context(), req.Actor, kind.Name, typed)
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showChannels(c, req, http.StatusUnprocessableEntity, kind.Name, p.again(c, kind, typed, faults))
	}
	if err != nil {
		return p.Refused(c, address, err)
	}
	result := p.send(c, req, kind, account, normal)
	return p.showChannels(c, req, http.StatusOK, kind.Name, func(v *view.Provider) {
		p.again(c, kind, typed, nil)(v)
		v.To, v.Result = element.Field{Value: to}, result
	})
}

func (p *handlers) send(c echo.Context, req *page.Request, kind provider.Kind, account provider.Account, to string) *view.Result {
	if account == nil {
		return &view.Result{Text: "Not sent: the settings cannot be used."}
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), testTimeout)
	defer cancel()
	_, failure := account.Deliver(ctx, notify.Message{Kind: notify.KindNotice, Medium: kind.Medium, To: to, Name: req.User.Name,
		Text: "Test message from Tocsin\nSent by " + req.User.Name + " on " + req.Clock.Absolute(p.Now()) + ". Pages will arrive like this one."})
	if failure != nil {
		return &view.Result{Text: "Not sent. " + failure.Reason}
	}
	return &view.Result{OK: true, Text: element.Carrier(string(kind.Medium)) + " accepted the test message for " + to + ". Check that it has arrived."}
}

// secrets are typed and not saved yet. They go with the page, sealed, so that a test
// does not lose them.
type secrets struct {
	Provider string
	Values   provider.Values
	Expires  int64 // Unix seconds
}

// secretsLast is how long they can be saved without being typed again.
const secretsLast = 15 * time.Minute
