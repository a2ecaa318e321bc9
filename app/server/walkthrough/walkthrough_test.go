package walkthrough_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

// On the Monday on which stories begin Ben is main and Chiara the backup.
const (
	ben    = "ben@acme.example"
	chiara = "chiara@acme.example"
	dana   = "dev.manager@acme.example"
)

// password is what everybody chooses.
const password = "a sentence is good"

// breach is what an organisation's tools post.
//
//go:embed testdata/breach.json
var breach []byte

// evening is a little after the breach began: 18:10 in London.
var evening = time.Date(2026, 11, 23, 18, 10, 0, 0, time.UTC)

// onSQLite boots the application where a story is about pages, which are the
// same on both databases.
func onSQLite(t *testing.T, fixture string) *harness.Harness {
	t.Helper()
	h := harness.New(t, fixture, harness.SQLite(t))
	if fixture != "" {
		h.AdvanceTo(evening)
	}
	return h
}

// postBreach posts the breach and returns the incident's number.
func postBreach(t *testing.T, h *harness.Harness) int64 {
	t.Helper()
	status, answer := h.Post("/webhooks/slo/"+harness.Key("checkout-api"), "application/json", breach)
	if status != http.StatusAccepted {
		t.Fatalf("the breach was answered %d: %s", status, answer)
	}
	var said struct{ Incident struct{ Number int64 } }
	if err := json.Unmarshal(answer, &said); err != nil {
		t.Fatal(err)
	}
	h.WaitIdle()
	return said.Incident.Number
}

// passwordLink is the address at which a person chooses a password.
func passwordLink(t *testing.T, h *harness.Harness, email string) string {
	t.Helper()
	user, err := h.Server.Auth.UserByEmail(t.Context(), auth.Tocsin, email)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := h.Server.Auth.PasswordLink(t.Context(), auth.Tocsin, user.ID)
	if err != nil {
		t.Fatal(err)
	}
	return h.URL + "/password/" + token
}

// invite has a person choose the password with which they sign in later.
func invite(t *testing.T, h *harness.Harness, email string) {
	t.Helper()
	path := passwordLink(t, h, email)[len(h.URL):]
	form := url.Values{"password": {password}}
	if status, page := h.Post(path, "application/x-www-form-urlencoded", []byte(form.Encode())); status != http.StatusOK {
		t.Fatalf("choosing a password was answered %d: %s", status, page)
	}
}

// employ adds somebody of a role who is in no file.
func employ(t *testing.T, h *harness.Harness, role auth.Role) (email string) {
	t.Helper()
	email = string(role) + "@acme.example"
	if _, err := h.Server.Auth.CreateUser(t.Context(), auth.Tocsin, auth.Profile{Email: email, Name: "Noor Haddad", Role: role}); err != nil {
		t.Fatal(err)
	}
	return email
}

// signedIn is a window in which a person is signed in.
func signedIn(t *testing.T, h *harness.Harness, email string, device browser.Device, scheme browser.Scheme, options ...browser.Option) *browser.Tab {
	t.Helper()
	tab := browser.New(t, device, scheme, options...)
	tab.Open(passwordLink(t, h, email))
	tab.Fill("Password", password)
	tab.Click("Save and sign in")
	tab.WaitFor("you are signed in")
	return tab
}

// signIn signs a person in by the form, on the page that is open.
func signIn(tab *browser.Tab, email string) {
	tab.Fill("Email", email)
	tab.Fill("Password", password)
	tab.Click("Sign in")
}

// open goes to a page, which must be there.
func open(t *testing.T, tab *browser.Tab, h *harness.Harness, path string) {
	t.Helper()
	if status := tab.Open(h.URL + path); status != http.StatusOK {
		t.Fatalf("%s was answered %d", path, status)
	}
}

// content fails the test if the browser held something against the pages.
func content(t *testing.T, tab *browser.Tab) {
	t.Helper()
	if diff := cmp.Diff([]string(nil), tab.Complaints()); diff != "" {
		t.Errorf("the browser complains (-want +got):\n%s", diff)
	}
}

func incidentPath(number int64) string { return fmt.Sprintf("/incidents/%d", number) }
