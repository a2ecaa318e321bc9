package sample

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/channels"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/fail"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/signin"
	"github.com/tocsin-oncall/tocsin/views/start"
)

// entryPages are those that people see first: the set-up, signing in, links and
// the first run.
func entryPages() []Page {
	setup := signin.SetupPage{Now: now, Token: "t", Zones: zones, Timezone: element.Field{Value: "UTC"}}
	wrong := setup
	wrong.Email = element.Field{Value: "dana", Error: "Enter an email address such as ana@example.com."}
	wrong.Password = element.Field{Error: "A password has at least 12 characters."}
	return []Page{
		{"sign-in", signin.SignIn(signin.Page{Now: now, Organization: "Acme"})},
		{"sign-in-wrong", signin.SignIn(signin.Page{Now: now, Organization: "Acme", Email: "ana@acme.example", Wrong: true})},
		{"sign-in-limited", signin.SignIn(signin.Page{Now: now, Organization: "Acme", Email: "ana@acme.example", RetryIn: 90 * time.Second, Flash: &layout.Flash{Text: "You are signed out."}})},
		{"sign-in-first", signin.SignIn(signin.Page{Now: now, NoAdministrator: true, Nobody: true})},
		{"sign-in-unled", signin.SignIn(signin.Page{Now: now, Organization: "Acme", NoAdministrator: true})},
		{"sign-in-pending", signin.SignIn(signin.Page{Now: now, Organization: "Acme", Pending: &signin.Pending{Sealed: "c2VhbGVk", NotDone: "#182 is NOT acknowledged yet."}})},
		{"resume", signin.Resume(signin.ResumePage{Now: now, Discard: "Discard", Name: "Ana Ortiz", NotDone: "Your note on #182 is NOT saved yet.", Button: "Save the note on #182",
			Action: "/incidents/182/notes", Fields: []signin.ResumeField{{Name: "note", Value: "Shard 7 is full.", Text: true}}, Next: "/incidents/182"})},
		{"invite", signin.Invite(signin.InvitePage{Now: now, Token: "t", Organization: "Acme", Team: "Payments", Role: "responder", Address: "emre@acme.example", Zones: zones, MinPassword: 12})},
		{"invite-invalid", signin.InvalidInvitation(signin.SpentPage{Now: now}, "This invitation has expired. Ask for another.")},
		{"welcome", start.Welcome(start.WelcomePage{Frame: frame("Welcome", ""), Adding: adding, Responds: true})},
		{"welcome-done", start.Welcome(start.WelcomePage{Frame: frame("Welcome", ""), Adding: adding, Responds: true,
			Contacts: []account.Contact{{ID: 1, Medium: "sms", Address: "+34 600 000 001", Verified: true}}})},
		{"channels", channels.Channels(channelsPage())},
		{"channels-saved", channels.Channels(channelsSaved())},
		{"channels-broken", channels.Channels(channelsBroken())},
		{"setup", signin.Setup(setup)},
		{"setup-wrong", signin.Setup(wrong)},
		{"password", signin.Password(signin.PasswordPage{Now: now, Token: "t", Name: "Emre", Email: "emre@acme.example", Invited: true})},
		{"spent", signin.Spent(signin.SpentPage{Now: now, Setup: true})},
		{"start-1", start.Start(startPage(1))},
		{"start-2", start.Start(startPage(2))},
		{"start-3", start.Start(startPage(3))},
		{"start-alertmanager", start.Start(startOtherFormat())},
		{"start-long", start.Start(startLongName())},
		{"start-4", start.Start(startSent())},
		{"start-done", start.Start(startPage(5))},
	}
}

// channelsPage has a provider of each source, and a test that failed.
func channelsPage() channels.Page {
	return channels.Page{Frame: administrator("Channels", layout.Channels), Version: 3, Providers: []channels.Provider{
		{Name: "smtp", Title: "Email (SMTP)", Medium: "email", Locked: true, Variables: []string{"TOCSIN_SMTP_URL", "TOCSIN_SMTP_FROM"},
			Fields: []channels.Field{{Name: "host", Label: "Server", Field: element.Field{Value: "smtp.acme.example"}}}, Accepted: now.Add(-time.Minute)},
		{Name: "twilio", Title: "SMS (Twilio)", Medium: "sms", Saved: true, UpdatedBy: "Dana Levi", UpdatedAt: now.Add(-time.Hour), Open: true, Help: "The account SID is in the Twilio Console.",
			Fields: []channels.Field{{Name: "account-sid", Label: "Account SID", Needed: true, Field: element.Field{Value: "AC1", Error: "This is needed."}},
				{Name: "auth-token", Label: "Auth token", Secret: true, Needed: true, Known: true}, {Name: "base-url", Label: "Gateway", Rare: true}},
			Result: &channels.Result{Text: "Not sent. Twilio: 20003, authentication failed"}, Failed: now.Add(-time.Minute), Reason: "Twilio: 20003, authentication failed"},
		{Name: "slack", Title: "Slack", Medium: "slack", Help: "Create an app at api.slack.com/apps.", Fields: []channels.Field{{Name: "bot-token", Label: "Bot token", Secret: true, Needed: true}}},
	}}
}

// channelsSaved is the page after the first provider was saved.
func channelsSaved() channels.Page {
	p := channelsPage()
	p.Frame.Banners = nil
	p.Frame.Flash = &layout.Flash{Text: "Saved. SMS (Twilio) is used from now on."}
	p.Providers = p.Providers[1:]
	v := &p.Providers[0]
	v.Open, v.Result, v.Failed, v.Fields[0].Field.Error = false, nil, time.Time{}, ""
	return p
}

// channelsBroken is the page that the banners lead to.
func channelsBroken() channels.Page {
	p := channelsSaved()
	p.Frame.Flash, p.Frame.Banners = nil, []layout.Banner{outage, unavailable}
	p.Providers[0].Failed, p.Providers[0].Accepted = now.Add(-time.Minute), now.Add(-time.Hour)
	return p
}

func startPage(reached int) start.Page {
	p := start.Page{Frame: administrator("Getting started", layout.Start), Adding: adding, MayCreate: true, MayReveal: true, MayTest: true, Noun: "breach"}
	p.Contacts = []account.Contact{{ID: 1, Medium: "email", Address: "dana@acme.example", CodeSentAt: now.Add(-20 * time.Second)}}
	if reached > 1 {
		p.Contacts[0].Verified = true
	}
	if reached > 2 {
		p.Service, p.Integration = checkout, element.Ref{Slug: "checkout-api", Name: "Checkout API"}
		p.Curl = "curl -sS https://tocsin.acme.example/webhooks/slo/slo0000000000000000000000000key1 \\\n  -d '{\"service\":\"checkout-api\",\"sli\":\"availability\",\"slo\":{\"name\":\"A first test\"}}'"
	}
	if reached > 3 {
		p.Test = &start.Test{Number: 1, Version: 1, Title: "A first test", Status: incidents.Triggered, CreatedAt: now.Add(-9 * time.Second),
			Attempts: []incidents.Attempt{{PageID: 1, Person: dana, Medium: "log", State: incidents.Sent, At: now.Add(-8 * time.Second)}}}
	}
	if reached > 4 {
		p.MaySetUp, p.OnlyLog = true, true
		p.Test.Status, p.Test.AnsweredIn = incidents.Acknowledged, 42*time.Second
	}
	return p
}

// startSent is the page right after the test was sent.
func startSent() start.Page {
	p := startPage(4)
	p.Frame.Flash = &layout.Flash{Text: "Test breach sent: incident #1. No channel is set up, so the page to Dana Levi by SMS goes to the server log only."}
	return p
}

// startLongName has a service with a name that is wider than a phone.
func startLongName() start.Page {
	p := startPage(3)
	p.Service.Name = "Checkout API of the shop and its partners in Europe"
	return p
}

// startOtherFormat is of a sender with a format of its own.
func startOtherFormat() start.Page {
	p := startPage(3)
	p.Noun, p.Curl = "alert", ""
	p.Snippets = snippets()
	return p
}

// snippets are of a sender with a format of its own.
func snippets() []element.Snippet {
	return []element.Snippet{
		{Title: "Alertmanager", Text: "receivers:\n  - name: tocsin\n    webhook_configs:\n      - url: https://tocsin.acme.example/webhooks/alertmanager\n        http_config:\n          authorization: {credentials: $TOCSIN_KEY}"},
		{Title: "curl", Text: "curl -i https://tocsin.acme.example/webhooks/alertmanager -H 'Authorization: Bearer $TOCSIN_KEY' -d @alerts.json"},
	}
}

func failPages() []Page {
	var pages []Page
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		p := fail.Page{Frame: frame("", ""), Status: status, Back: "/incidents"}
		if status == http.StatusInternalServerError {
			p.Reference = "01JD6Y2R9W"
		}
		if status == http.StatusUnprocessableEntity {
			p.Fields = []string{"A name has at most 100 characters."}
		}
		pages = append(pages, Page{fmt.Sprintf("fail-%d", status), fail.Fail(p)})
	}
	alone := fail.Page{Status: http.StatusNotFound, Message: "No incident with number 999."}
	alone.Frame.Clock = element.Clock{Now: now, Zone: madrid}
	return append(pages, Page{"fail-alone", fail.Fail(alone)})
}
