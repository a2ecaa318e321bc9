package web

import (
	"bytes"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// town is a house whose pages are open, and those who look at them.
type town struct {
	*house
	keys *auth.Keyring
}

func forEachTown(t *testing.T, test func(t *testing.T, w *town)) {
	t.Helper()
	forEachDatabase(t, func(t *testing.T, h *house) {
		keys, err := auth.NewKeyring(bytes.Repeat([]byte{7}, auth.KeySize))
		h.must(err)
		h.deps.Pages = Pages{Catalog: h.db.Organization, Incidents: h.db.IncidentReads(), Signals: h.db.Signals(), Replays: h.deps.Signals.(Replays), Keys: keys,
			Contacts: &notify.Contacts{Store: h.db.Access, Now: h.deps.Now}}
		h.edge = New(h.deps)
		test(t, &town{house: h, keys: keys})
	})
}

// browser keeps a session's cookie.
type browser struct {
	t      *testing.T
	edge   http.Handler
	cookie string
}

func (w *town) browser() *browser { return &browser{t: w.t, edge: w.edge} }

// password is what everybody chooses.
const password = "a sentence is good"

// as is somebody signed in: one of the example's people, by their address, or
// somebody new of a role, by its name.
func (w *town) person(who string) *browser {
	w.t.Helper()
	ctx := w.t.Context()
	if !strings.Contains(who, "@") {
		_, err := w.deps.Auth.CreateUser(ctx, auth.Tocsin, auth.Profile{Email: who + "@acme.example", Name: "The " + who, Role: auth.Role(who)})
		w.must(err)
		who += "@acme.example"
	}
	u, err := w.deps.Auth.UserByEmail(ctx, auth.Tocsin, who)
	w.must(err)
	token, _, err := w.deps.Auth.PasswordLink(ctx, auth.Tocsin, u.ID)
	w.must(err)
	b := w.browser()
	b.post("/password/"+token, http.StatusSeeOther, "password", password)
	return b
}

func (b *browser) ask(method, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	if form != nil {
		headers = append(headers, "Content-Type", "application/x-www-form-urlencoded")
	}
	if b.cookie != "" {
		headers = append(headers, "Cookie", b.cookie)
	}
	answer := ask(b.edge, method, path, form.Encode(), headers...)
	for _, c := range answer.Result().Cookies() {
		b.cookie = c.Name + "=" + c.Value
	}
	return answer
}

// get returns a page as text, with the entities of HTML read.
func (b *browser) get(path string, status int) string {
	b.t.Helper()
	answer := b.ask(http.MethodGet, path, nil)
	if answer.Code != status {
		b.t.Fatalf("GET %s was answered %d, want %d: %s", path, answer.Code, status, answer.Body)
	}
	return html.UnescapeString(answer.Body.String())
}

// post sends a form and returns the page, or where it leads.
func (b *browser) post(path string, status int, fields ...string) string {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	answer := b.ask(http.MethodPost, path, form)
	if answer.Code != status {
		b.t.Fatalf("POST %s was answered %d, want %d: %s", path, answer.Code, status, answer.Body)
	}
	if to := answer.Header().Get("Location"); to != "" {
		return to
	}
	return html.UnescapeString(answer.Body.String())
}

func contains(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}

func lacks(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(page, part) {
			t.Errorf("the page says %q:\n%s", part, page)
		}
	}
}
