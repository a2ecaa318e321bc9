package people_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

var inviteLink = regexp.MustCompile(webtest.PublicURL + `(/invite/[A-Za-z0-9_-]+)`)

func linkIn(t *testing.T, page string) string {
	t.Helper()
	found := inviteLink.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("the page has no link:\n%s", page)
	}
	return found[1]
}

func TestManagerInvitesToOwnTeam(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		dana := a.SignIn("dev.manager@acme.example")
		webtest.Contains(t, dana.Get("/people", http.StatusOK), "Invite a colleague", ">Payments</option>")
		dana.Post("/people/invitations", http.StatusForbidden, "role", "manager", "team", "payments")
		dana.Post("/people/invitations", http.StatusForbidden, "role", "responder")
		webtest.Lacks(t, a.SignIn("ana@acme.example").Get("/people", http.StatusOK), "Invite a colleague")
		taken := dana.Post("/people/invitations", http.StatusUnprocessableEntity, "role", "responder", "team", "payments", "email", "ana@acme.example")
		webtest.Contains(t, taken, "This person has an account already.")

		page := dana.Post("/people/invitations", http.StatusOK, "role", "responder", "team", "payments")
		link := linkIn(t, page)
		webtest.Lacks(t, dana.Get("/people", http.StatusOK), link)
		eve := a.Browser()
		webtest.Contains(t, eve.Get(link, http.StatusOK), "You are invited to Acme as a responder", "Payments")
		again := eve.Post(link, http.StatusUnprocessableEntity, "name", "Eve Tan", "email", "eve", "password", "short")
		webtest.Contains(t, again, `value="Eve Tan"`, "at least 12 characters", "Enter an email address")
		if to := eve.Post(link, http.StatusSeeOther, "name", "Eve Tan", "email", "Eve@acme.example", "password", webtest.Password, "role", "administrator"); to != "/welcome" {
			t.Errorf("it led to %q", to)
		}
		webtest.Contains(t, eve.Get("/welcome", http.StatusOK), "Welcome, Eve", "add a contact method")
		u, err := a.Auth.UserByEmail(t.Context(), auth.Tocsin, "eve@acme.example")
		a.Must(err)
		if u.Role != auth.Responder {
			t.Errorf("her role is %s", u.Role)
		}
		webtest.Contains(t, dana.Get("/teams/payments", http.StatusOK), "Eve Tan")
		webtest.Contains(t, a.Browser().Get(link, http.StatusGone), "This invitation has been used.")
		a.Browser().Post(link, http.StatusGone, "name", "Eve Two", "email", "two@acme.example", "password", webtest.Password)
	})
}

func TestInvitationExpiresAndIsRevoked(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		admin := a.SignIn("administrator")
		old := linkIn(t, admin.Post("/people/invitations", http.StatusOK, "role", "administrator"))
		a.Advance(auth.InvitationLifetime)
		webtest.Contains(t, a.Browser().Get(old, http.StatusGone), "This invitation has expired.")
		link := linkIn(t, admin.Post("/people/invitations", http.StatusOK, "role", "responder", "team", "payments"))
		open, err := a.Auth.OpenInvitations(t.Context())
		a.Must(err)
		if len(open) != 1 {
			t.Fatalf("open are %+v", open)
		}
		a.SignIn("manager").Post("/people/invitations/2/revoke", http.StatusForbidden)
		admin.Post("/people/invitations/2/revoke", http.StatusSeeOther)
		webtest.Contains(t, a.Browser().Get(link, http.StatusGone), "This invitation was revoked.")
	})
}

// The mail has the link, and a person makes no more than a few in an hour.
func TestInvitationIsSentAndLimited(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		admin := a.SignIn("administrator")
		page := admin.Post("/people/invitations", http.StatusOK, "role", "responder", "email", "Eve@acme.example")
		link := linkIn(t, page)
		webtest.Contains(t, page, "Sent to eve@acme.example.")
		sent := a.RunDue()
		if len(sent) != 1 || sent[0].To != "eve@acme.example" || !strings.Contains(sent[0].Text, link) {
			t.Fatalf("sent %+v", sent)
		}
		// The address is that of the invitation.
		eve := a.Browser()
		eve.Post(link, http.StatusSeeOther, "name", "Eve Tan", "email", "other@acme.example", "password", webtest.Password)
		if _, err := a.Auth.UserByEmail(t.Context(), auth.Tocsin, "eve@acme.example"); err != nil {
			t.Error(err)
		}
		for range auth.InvitationsAnHour - 1 {
			admin.Post("/people/invitations", http.StatusOK, "role", "responder")
		}
		admin.Post("/people/invitations", http.StatusSeeOther, "role", "responder")
		webtest.Contains(t, admin.Get("/people", http.StatusOK), "invitations within an hour")
	})
}

// Whoever leaves, or gets a lower role, leaves no way in behind.
func TestInvitationEndsWithRoleOfInviter(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.SignIn("administrator") // else each is the last one
		for who, end := range map[string]func(id int64) error{
			"ana@acme.example": func(id int64) error { return a.Auth.SetActive(t.Context(), auth.Tocsin, id, false) },
			"ben@acme.example": func(id int64) error { return a.Auth.SetRole(t.Context(), auth.Tocsin, id, auth.Manager) },
		} {
			id := a.UserID(who)
			a.Must(a.Auth.SetRole(t.Context(), auth.Tocsin, id, auth.Administrator))
			link := linkIn(t, a.SignIn(who).Post("/people/invitations", http.StatusOK, "role", "administrator"))
			a.Browser().Get(link, http.StatusOK)
			a.Must(end(id))
			webtest.Contains(t, a.Browser().Get(link, http.StatusGone), "This invitation was revoked.")
		}
	})
}

// Their next sign-in counts against the limit of their own device.
func TestInvitedPersonsDeviceIsKnown(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		link := linkIn(t, a.SignIn("administrator").Post("/people/invitations", http.StatusOK, "role", "responder"))
		eve := a.Browser()
		eve.Post(link, http.StatusSeeOther, "name", "Eve Tan", "email", "eve@acme.example", "password", webtest.Password)
		webtest.Contains(t, eve.Cookie(), "tocsin_device=")
	})
}
