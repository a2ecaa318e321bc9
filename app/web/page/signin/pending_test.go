package signin_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

var sealed = regexp.MustCompile(`name="pending" value="([^"]+)"`)

// pendingIn is the form that waits in a sign-in page.
func pendingIn(t *testing.T, page string) string {
	t.Helper()
	found := sealed.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no form waits in the page:\n%s", page)
	}
	return html.UnescapeString(found[1])
}

// signInWith signs in with a form that waits, and returns the page that asks.
func signInWith(b *webtest.Browser, who, pending string) string {
	return b.Post("/sign-in", http.StatusOK, "email", who, "password", webtest.Password, "pending", pending)
}

func status(t *testing.T, a *webtest.App, number int64) string {
	t.Helper()
	inc, err := a.DB.Incidents.Incident(t.Context(), number)
	a.Must(err)
	return string(inc.Status)
}

func TestEndedSessionKeepsAcknowledgment(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		number := a.PostBreach("Checkout")
		address := fmt.Sprintf("/incidents/%d", number)
		a.SignIn("ana@acme.example")
		b := a.Browser()
		page := b.Post(address+"/acknowledge", http.StatusUnauthorized)
		notDone := fmt.Sprintf("#%d is NOT acknowledged yet.", number)
		webtest.Contains(t, page, "Your session ended.", notDone, "Sign in, then confirm.")
		pending := pendingIn(t, page)
		again := b.Post("/sign-in", http.StatusUnprocessableEntity, "email", "ana@acme.example", "password", "wrong", "pending", pending)
		webtest.Contains(t, again, notDone)
		if pendingIn(t, again) != pending {
			t.Error("a wrong password lost the form")
		}
		ask := signInWith(b, "ana@acme.example", pending)
		webtest.Contains(t, ask, notDone, "You are signed in as Ana Ortiz.", `action="`+address+`/acknowledge"`, fmt.Sprintf("Acknowledge #%d", number), "data-main", "Do not acknowledge")
		webtest.Lacks(t, ask, "data-resume")
		if got := status(t, a, number); got != "triggered" {
			t.Errorf("before she confirms, it is %s", got)
		}
		b.Post(address+"/acknowledge", http.StatusSeeOther)
		if got := status(t, a, number); got != "acknowledged" {
			t.Errorf("after it, it is %s", got)
		}
	})
}

// An acknowledgment goes by itself for the person whose session ended, and for nobody
// else.
func TestAcknowledgmentResumesForSamePerson(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		number := a.PostBreach("Checkout")
		ana := a.SignIn("ana@acme.example")
		a.SignIn("ana@acme.example") // a new password ends the first session
		a.SignIn("ben@acme.example")
		pending := pendingIn(t, ana.Post(fmt.Sprintf("/incidents/%d/acknowledge", number), http.StatusUnauthorized))
		webtest.Contains(t, signInWith(a.Browser(), "ana@acme.example", pending), "data-resume")
		webtest.Lacks(t, signInWith(a.Browser(), "ben@acme.example", pending), "data-resume")
		pending = pendingIn(t, ana.Post(fmt.Sprintf("/incidents/%d/resolve", number), http.StatusUnauthorized, "resolution", "restarted"))
		webtest.Lacks(t, signInWith(a.Browser(), "ana@acme.example", pending), "data-resume")
	})
}

func TestEndedSessionKeepsText(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		number := a.PostBreach("Checkout")
		a.SignIn("ana@acme.example")
		b := a.Browser()
		text := "Shard 7 <is> \"full\"\n" + strings.Repeat("ö", 19_000)
		page := b.Post(fmt.Sprintf("/incidents/%d/notes", number), http.StatusUnauthorized, "note", text)
		webtest.Contains(t, page, fmt.Sprintf("Your note on #%d is NOT saved yet.", number))
		webtest.Lacks(t, page, "Shard 7")
		webtest.Contains(t, signInWith(b, "ana@acme.example", pendingIn(t, page)), "Shard 7 <is> \"full\"", "Save the note on", "Discard")
	})
}

// The permissions are those of the person who signed in.
func TestPendingFormOfAnotherRole(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		number := a.PostBreach("Checkout")
		a.SignIn("stakeholder")
		b := a.Browser()
		address := fmt.Sprintf("/incidents/%d/acknowledge", number)
		signInWith(b, "stakeholder@acme.example", pendingIn(t, b.Post(address, http.StatusUnauthorized)))
		b.Post(address, http.StatusForbidden)
		if got := status(t, a, number); got != "triggered" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestPendingFormExpires(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.SignIn("ana@acme.example")
		b := a.Browser()
		pending := pendingIn(t, b.Post("/incidents/1/acknowledge", http.StatusUnauthorized))
		fields := []string{"email", "ana@acme.example", "password", webtest.Password, "pending"}
		webtest.Contains(t, b.Post("/sign-in", http.StatusGone, append(fields, pending[:len(pending)-4]+"AAAA")...), "Nothing of it was done.")
		a.Advance(time.Hour)
		b.Post("/sign-in", http.StatusGone, append(fields, pending)...)
	})
}

// Passwords, and more than a note can hold, are not sent back to a browser.
func TestPendingFormIsBounded(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.SignIn("ana@acme.example")
		b := a.Browser()
		for _, page := range []string{
			b.Post("/me/password", http.StatusUnauthorized, "current", "an old sentence", "password", "a new sentence"),
			b.Post("/incidents/1/notes", http.StatusUnauthorized, "note", strings.Repeat("x", 200_000)),
		} {
			webtest.Contains(t, page, "NOT saved yet.", "enter it again")
			webtest.Lacks(t, page, `name="pending"`, "a new sentence")
		}
	})
}
