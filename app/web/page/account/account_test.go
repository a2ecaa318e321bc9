package account_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestRulesProfileAndPassword(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		methods, err := a.DB.Access.ContactMethods(t.Context(), a.UserID("ana@acme.example"))
		a.Must(err)
		sms, mail := web.FormatInt(methods[0].ID), web.FormatInt(methods[2].ID)
		again := ana.Post("/me/rules", http.StatusUnprocessableEntity, "urgency", "high", "contact", sms, "after", "soon", "contact", mail, "after", "7")
		webtest.Contains(t, again, `value="soon"`, `value="7"`, "aria-invalid")
		ana.Post("/me/rules", http.StatusSeeOther, "urgency", "high", "contact", mail, "after", "2.5", "contact", "", "after", "9")
		rules, err := a.DB.Access.Rules(t.Context(), a.UserID("ana@acme.example"))
		a.Must(err)
		if len(rules) != 2 || rules[0].Urgency != "high" || rules[0].AfterSeconds != 150 || rules[0].ContactMethodID != methods[2].ID || rules[1].Urgency != "low" {
			t.Errorf("the rules are %+v", rules)
		}
		ana.Post("/me/rules", http.StatusUnprocessableEntity, "urgency", "high", "contact", "9999", "after", "1")
		ana.Post("/me/contacts/"+sms+"/remove", http.StatusSeeOther)
		webtest.Lacks(t, ana.Get("/me", http.StatusOK), "/me/contacts/"+sms+"/")

		webtest.Contains(t, ana.Post("/me/profile", http.StatusUnprocessableEntity, "name", " ", "timezone", "Mars/Base"), "Enter a name", "Enter a time zone")
		ana.Post("/me/profile", http.StatusSeeOther, "name", "Ana Ortiz Ruiz", "timezone", "Asia/Kathmandu")
		webtest.Contains(t, ana.Get("/me", http.StatusOK), "Ana Ortiz Ruiz", "Asia/Kathmandu")
		page := ana.Post("/me/password", http.StatusUnprocessableEntity, "current", "not it, is it", "password", "another good sentence")
		webtest.Contains(t, page, "not your current password")
		webtest.Lacks(t, page, "another good sentence")
		ana.Post("/me/password", http.StatusSeeOther, "current", webtest.Password, "password", "another good sentence")
		ana.Get("/me", http.StatusOK)
	})
}

// Where a code is, is said as it is: in the log, on its way, or nowhere.
func TestVerificationCodeLocation(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		ana.Post("/me/contacts", http.StatusSeeOther, "medium", "slack", "address", "U012AB3CD")
		page := ana.Get("/me", http.StatusOK)
		webtest.Contains(t, page, "Slack is not set up yet.", "can be verified once it is", "It can be verified once that channel is set up.")
		webtest.Lacks(t, page, `name="code"`)
		ana.Post("/me/contacts", http.StatusSeeOther, "medium", "sms", "address", "+34 600 000 077")
		webtest.Contains(t, ana.Get("/me", http.StatusOK), "A verification code was sent to", `name="code"`)
		a.Slices.Page.OnlyLog = func() bool { return true }
		a.Slices.Page.Works = func(notify.Medium) bool { return true }
		a.Remount()
		ben := a.SignIn("ben@acme.example")
		ben.Post("/me/contacts", http.StatusSeeOther, "medium", "sms", "address", "+34 600 000 078")
		webtest.Contains(t, ben.Get("/me", http.StatusOK), "No channel is set up, so nothing was sent: the code is in the server log, in the line with kind=verify.",
			"in the line with <code>kind=verify</code>")
	})
}

// TestNewContactStartsWithWhatWorks chooses a kind that can be verified.
func TestNewContactStartsWithWhatWorks(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Slices.Page.Works = func(m notify.Medium) bool { return m == notify.Email }
		a.Remount()
		ben := a.SignIn("ben@acme.example")
		ben.Handler = a.Handler
		webtest.Contains(t, ben.Get("/me", http.StatusOK), `<option value="email" selected`, `name="address" type="text" value="ben@acme.example"`)
		ben.Post("/me/contacts", http.StatusSeeOther, "medium", "email", "address", "ben@acme.example")
		webtest.Lacks(t, ben.Get("/me", http.StatusOK), `value="ben@acme.example" required`)
	})
}
