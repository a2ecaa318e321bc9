package signin_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

func TestSignIn(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.SignIn("ana@acme.example")
		b := a.Browser()
		if to := b.Do(http.MethodGet, "/incidents?tab=open", nil).Header().Get("Location"); to != "/sign-in?next=%2Fincidents%3Ftab%3Dopen" {
			t.Fatalf("who is not signed in is led to %q", to)
		}
		webtest.Contains(t, b.Get("/sign-in?next=/incidents/7", http.StatusOK), "Acme", `value="/incidents/7"`)
		again := b.Post("/sign-in", http.StatusUnprocessableEntity, "email", "ana@acme.example", "password", "wrong", "next", "/incidents/7")
		webtest.Contains(t, again, `value="ana@acme.example"`, `value="/incidents/7"`, "Wrong email or password.")
		b.Post("/sign-in", http.StatusUnprocessableEntity, "email", "no address", "password", "wrong")
		if to := b.Post("/sign-in", http.StatusSeeOther, "email", "Ana@Acme.example", "password", webtest.Password, "next", "//evil.example"); to != "/" {
			t.Errorf("signing in led to %q", to)
		}
		if to := b.Do(http.MethodGet, "/", nil).Header().Get("Location"); to != "/incidents" {
			t.Errorf("home is %q", to)
		}
		webtest.Contains(t, b.Get("/incidents", http.StatusOK), "Ana Ortiz")
		webtest.Contains(t, b.Get(b.Post("/sign-out", http.StatusSeeOther), http.StatusOK), "signed out")
		webtest.Lacks(t, b.Get("/sign-in", http.StatusOK), "signed out")
	})
}

// Where there is no administrator, nobody can give a link, but the server prints
// one.
func TestSignInWithoutAdministrator(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		const unset, form, ask = "There is no administrator yet", `name="password"`, "An administrator can give you a link."
		b := a.Browser()
		fresh := b.Get("/sign-in", http.StatusOK)
		webtest.Contains(t, fresh, unset, "tocsin user add EMAIL --name NAME", "--role administrator")
		webtest.Lacks(t, fresh, form, ask)
		a.SignIn("ben@acme.example")
		unled := b.Get("/sign-in", http.StatusOK)
		webtest.Contains(t, unled, unset, form)
		webtest.Lacks(t, unled, ask)
		a.Must(a.Auth.SetRole(t.Context(), auth.Tocsin, a.UserID("ana@acme.example"), auth.Administrator))
		ready := b.Get("/sign-in", http.StatusOK)
		webtest.Contains(t, ready, form, ask)
		webtest.Lacks(t, ready, unset)
	})
}

func TestSignInIsLimited(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		b := a.Browser()
		for range 10 {
			b.Post("/sign-in", http.StatusUnprocessableEntity, "email", "ana@acme.example", "password", "wrong")
		}
		w := b.Do(http.MethodPost, "/sign-in", url.Values{"email": {"ana@acme.example"}, "password": {"wrong"}})
		webtest.Contains(t, w.Body.String(), "Too many attempts")
		if seconds, err := strconv.Atoi(w.Header().Get("Retry-After")); w.Code != http.StatusTooManyRequests || err != nil || seconds < 1 {
			t.Errorf("answered %d, to be tried again after %q", w.Code, w.Header().Get("Retry-After"))
		}
	})
}
