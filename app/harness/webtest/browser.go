package webtest

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

// Browser sends requests with the cookies that it was given.
type Browser struct {
	t       *testing.T
	Handler http.Handler
	cookies []*http.Cookie
}

// Cookie is the header of that name; empty without cookies.
func (b *Browser) Cookie() string {
	pairs := make([]string, len(b.cookies))
	for i, c := range b.cookies {
		pairs[i] = c.Name + "=" + c.Value
	}
	return strings.Join(pairs, "; ")
}

// keep replaces the cookie of the same name, and deletes it where it has ended.
func (b *Browser) keep(c *http.Cookie) {
	b.cookies = slices.DeleteFunc(b.cookies, func(old *http.Cookie) bool { return old.Name == c.Name })
	if c.MaxAge >= 0 {
		b.cookies = append(b.cookies, c)
	}
}

// Browser is a new one, not signed in.
func (a *App) Browser() *Browser { return &Browser{t: a.t, Handler: a.Handler} }

// Password is that of everybody who signs in.
const Password = "a sentence is good"

// SignIn is the browser of a person who is signed in: one of the example's, by
// email address, or a new one with a role, by its name.
func (a *App) SignIn(who string) *Browser {
	a.t.Helper()
	ctx := a.t.Context()
	if !strings.Contains(who, "@") {
		_, err := a.Auth.CreateUser(ctx, auth.Tocsin, auth.Profile{Email: who + "@acme.example", Name: "The " + who, Role: auth.Role(who)})
		a.Must(err)
		who += "@acme.example"
	}
	u, err := a.Auth.UserByEmail(ctx, auth.Tocsin, who)
	a.Must(err)
	token, _, err := a.Auth.PasswordLink(ctx, auth.Tocsin, u.ID)
	a.Must(err)
	b := a.Browser()
	b.Post("/password/"+token, http.StatusSeeOther, "password", Password)
	return b
}

// Do sends a request, with a form unless that is nil.
func (b *Browser) Do(method, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	if form != nil {
		headers = append(headers, "Content-Type", "application/x-www-form-urlencoded")
	}
	if cookies := b.Cookie(); cookies != "" {
		headers = append(headers, "Cookie", cookies)
	}
	answer := Do(b.Handler, method, path, form.Encode(), headers...)
	for _, c := range answer.Result().Cookies() {
		b.keep(c)
	}
	return answer
}

// Get returns a page as text, with HTML entities decoded.
func (b *Browser) Get(path string, status int) string {
	b.t.Helper()
	answer := b.Do(http.MethodGet, path, nil)
	if answer.Code != status {
		b.t.Fatalf("GET %s got %d, want %d: %s", path, answer.Code, status, answer.Body)
	}
	return html.UnescapeString(answer.Body.String())
}

// Post sends a form, as pairs, and returns the page or the address that it
// redirects to.
func (b *Browser) Post(path string, status int, fields ...string) string {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	answer := b.Do(http.MethodPost, path, form)
	if answer.Code != status {
		b.t.Fatalf("POST %s got %d, want %d: %s", path, answer.Code, status, answer.Body)
	}
	if to := answer.Header().Get("Location"); to != "" {
		return to
	}
	return html.UnescapeString(answer.Body.String())
}

// Contains fails for each part that a page lacks.
func Contains(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}

// Lacks fails for each part that a page contains.
func Lacks(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(page, part) {
			t.Errorf("the page contains %q:\n%s", part, page)
		}
	}
}
