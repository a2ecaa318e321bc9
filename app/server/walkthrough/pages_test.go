package walkthrough_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

// budget is what a first view may weigh on the wire, in bytes: document, style,
// scripts and icons, as they were sent.
const budget = 100_000

// page is an address of the application, and what answers there.
type page struct {
	path   string
	status int
}

// Every page of the running application, with what a month of use leaves on
// it: nothing for axe to find, nothing for the browser to complain about,
// nothing wider than the screen, nothing too heavy, and no link that leads
// nowhere.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	all := furnish(t, h)
	administrator := employ(t, h, auth.Administrator)
	invite(t, h, administrator)
	for _, reader := range []struct {
		name   string
		device browser.Device
		scheme browser.Scheme
	}{
		{"phone in the light", browser.Phone, browser.Light},
		{"desktop in the dark", browser.Desktop, browser.Dark},
	} {
		t.Run(reader.name, func(t *testing.T) {
			t.Parallel()
			tab := browser.New(t, reader.device, reader.scheme)
			inspect(t, h, tab, reader.device, all.doors)
			open(t, tab, h, "/sign-in")
			signIn(tab, administrator)
			tab.WaitFor("Triggered")
			linked := inspect(t, h, tab, reader.device, all.inside)
			if unseen := beyond(linked, all.inside); len(unseen) != 0 {
				t.Errorf("links lead to pages that are not looked at: %v", unseen)
			}
		})
	}
}

// The same before anything is there.
func TestEveryEmptyPage(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "")
	setup, err := h.Server.Auth.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tab := browser.New(t, browser.Phone, browser.Dark)
	inspect(t, h, tab, browser.Phone, []page{{"/setup/" + setup, 200}, {"/sign-in", 200}})
	administrator := employ(t, h, auth.Administrator)
	invite(t, h, administrator)
	open(t, tab, h, "/sign-in") // which has a form from now on
	signIn(tab, administrator)
	tab.WaitFor("Get your first page")
	inspect(t, h, tab, browser.Phone, []page{
		{"/setup/" + setup, 410}, {"/start", 200}, {"/incidents", 200}, {"/oncall", 200}, {"/schedules", 200}, {"/policies", 200},
		{"/services", 200}, {"/teams", 200}, {"/integrations", 200}, {"/people", 200}, {"/me", 200},
	})
}

// pages are those before the door and those behind it.
type pages struct{ doors, inside []page }

// furnish lives through what fills the pages: a breach that was acknowledged
// and resolved with notes, one that somebody has, one that nobody answers, one
// that comes and goes, signals that were rejected.
func furnish(t *testing.T, h *harness.Harness) pages {
	t.Helper()
	first := postBreach(t, h)
	h.API(http.MethodPost, incidentPath(first)+"/notes", map[string]any{"note": "The ledger answers slowly."})
	h.Phone("ben").ExpectSMS().Reply("ack")
	h.Advance(20 * time.Minute)
	h.PostBreach("checkout-api", harness.Recovered(), harness.With("dedup_key", "optional"))
	h.Advance(40 * time.Minute)
	owned := h.PostBreach("checkout-api", harness.Priority(1), harness.With("dedup_key", "owned"))
	h.Phone("ben").ExpectSMS().Reply("ack")
	h.PostBreach("checkout-api", harness.Priority(3), harness.With("dedup_key", "nobody's"))
	for range 3 {
		h.PostBreach("checkout-api", harness.With("dedup_key", "flaps"))
		h.PostBreach("checkout-api", harness.With("dedup_key", "flaps"), harness.Recovered())
		h.Advance(time.Minute)
	}
	flapping := h.PostBreach("checkout-api", harness.With("dedup_key", "flaps"))
	h.Advance(61 * time.Minute) // the backup is paged, too
	if status, answer := h.Post("/webhooks/slo/"+harness.Key("checkout-api"), "application/json", []byte(`{"sli": 7}`)); status != http.StatusUnprocessableEntity {
		t.Fatalf("a bad breach was answered %d: %s", status, answer)
	}
	sent, err := h.Server.DB.Paging.IncidentPages(t.Context(), flapping)
	if err != nil || len(sent) == 0 {
		t.Fatalf("incident %d has the pages %v, %v", flapping, sent, err)
	}
	link := strings.TrimPrefix(harness.Link(h.Mailbox(chiara).ExpectMail().Text), h.URL)
	return pages{
		doors: []page{
			{"/sign-in?next=/incidents", 200}, {"/setup/never-made", 404},
			{passwordLink(t, h, chiara)[len(h.URL):], 200}, {"/password/never-made", 404},
			{link, 200}, {"/a/never-made", 404}, {"/nowhere", 404},
		},
		inside: []page{
			{"/", 200}, {"/start", 200},
			{"/incidents", 200}, {"/incidents/new", 200}, {"/incidents/new?service=checkout-api", 200}, {"/page", 200}, {"/page?team=payments", 200}, {"/incidents?tab=mine", 200}, {"/incidents?tab=open", 200}, {"/incidents?tab=past", 200},
			{incidentPath(first) + "/responders", 200}, {incidentPath(flapping) + "/responders", 200}, {incidentPath(owned) + "/responders", 200}, {incidentPath(owned) + "/handover", 200},
			{"/incidents?tab=open&q=nothing+like+it", 200},
			{incidentPath(first), 200}, {incidentPath(owned), 200}, {incidentPath(flapping), 200}, {"/incidents/9999", 404},
			{fmt.Sprintf("%s/pages/%d", incidentPath(flapping), sent[0].PageID), 200},
			{"/oncall", 200}, {"/schedules", 200}, {"/schedules/payments", 200}, {"/schedules/coordinators", 200},
			{"/policies", 200}, {"/policies/payments", 200},
			{"/services", 200}, {"/services/checkout-api", 200}, {"/services/online-shop", 200},
			{"/teams", 200}, {"/teams/payments", 200}, {"/integrations", 200}, {"/integrations/sre", 200},
			{"/people", 200}, {"/people/1", 200}, {"/me", 200}, {"/nowhere", 404},
			{"/search", 200}, {"/search?q=pay", 200}, {"/search?q=nothing+like+it", 200}, {"/settings/channels", 200},
		},
	}
}

// inspect looks at pages, one after the other, and returns where they lead.
func inspect(t *testing.T, h *harness.Harness, tab *browser.Tab, device browser.Device, all []page) (linked []string) {
	t.Helper()
	for _, p := range all {
		before := len(tab.Complaints())
		if status := tab.Open(h.URL + p.path); status != p.status {
			t.Errorf("%s was answered %d, want %d", p.path, status, p.status)
		}
		for _, violation := range tab.Axe() {
			t.Errorf("%s: %s", p.path, violation)
		}
		if wide := browser.Eval[int64](tab, "document.documentElement.scrollWidth"); wide > device.Width {
			t.Errorf("%s is %d pixels wide on a screen of %d", p.path, wide, device.Width)
		}
		if weight := tab.Bytes(); weight > budget {
			t.Errorf("%s weighs %d bytes, %d more than it may", p.path, weight, weight-budget)
		}
		complaints := tab.Complaints()[before:]
		if p.status != http.StatusOK { // the browser complains of the answer itself
			complaints = slices.DeleteFunc(complaints, func(c string) bool { return strings.HasSuffix(c, h.URL+p.path) })
		}
		if len(complaints) != 0 {
			t.Errorf("%s: the browser complains: %q", p.path, complaints)
		}
		tab.Screenshot(shot(p.path))
		linked = append(linked, browser.Eval[[]string](tab, `[...document.links].filter((a) => a.origin === location.origin).map((a) => a.pathname)`)...)
	}
	return linked
}

// beyond are the addresses whose like is not among the pages.
func beyond(linked []string, all []page) []string {
	seen := map[string]bool{}
	for _, p := range all {
		seen[kind(p.path)] = true
	}
	var unseen []string
	for _, path := range linked {
		if !seen[kind(path)] && !slices.Contains(unseen, path) {
			unseen = append(unseen, path)
		}
	}
	return unseen
}

var (
	numbered = regexp.MustCompile(`/\d+`)
	named    = regexp.MustCompile(`^(/(?:schedules|policies|services|teams|integrations)/)[^/]+$`)
)

// kind is an address with what differs from thing to thing taken out.
func kind(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return named.ReplaceAllString(numbered.ReplaceAllString(path, "/N"), "${1}NAME")
}

// shot names a page's screenshot.
func shot(path string) string {
	address, err := url.Parse(path)
	if err != nil {
		return "page"
	}
	parts := strings.Split(strings.Trim(address.Path, "/"), "/")
	if len(parts) > 1 && len(parts[1]) > 24 { // a token
		parts[1] = "token"
	}
	return "page-" + strings.Join(append(parts, address.Query().Get("tab")), "-")
}
