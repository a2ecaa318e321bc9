package server

import (
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

func newComposer(t *testing.T) composer {
	t.Helper()
	keys, err := auth.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return composer{keys: keys, publicURL: func() string { return "https://tocsin.example.com" }, callsBack: func() bool { return true }, now: time.Now}
}

func TestComposeLinksOnlyURLRunbooks(t *testing.T) {
	t.Parallel()
	c := newComposer(t)
	claim := notify.Claim{UserID: 1}
	all := map[string]string{
		"https://wiki.example.com/checkout": "https://wiki.example.com/checkout",
		"http://wiki.example.com":           "http://wiki.example.com",
		"Checkout, page 12":                 "",
		"wiki.example.com/checkout":         "",
		"mailto:ana@example.com":            "",
		"":                                  "",
	}
	for runbook := range all {
		claim.Subjects = append(claim.Subjects, notify.Subject{Number: 17, Title: runbook, Runbook: runbook})
	}
	if err := c.Compose(&claim); err != nil {
		t.Fatal(err)
	}
	for _, s := range claim.Subjects {
		if s.Runbook != all[s.Title] {
			t.Errorf("%q: the message links to %q", s.Title, s.Runbook)
		}
	}
}

func TestComposeLinksByRecipient(t *testing.T) {
	t.Parallel()
	c := newComposer(t)
	for _, test := range []struct {
		claim          notify.Claim
		link, callback string
	}{
		{notify.Claim{UserID: 1, Message: notify.Message{Medium: notify.SMS, Attempt: 9}}, "/a/", "https://tocsin.example.com/twilio/status/9"},
		{notify.Claim{UserID: 1, Message: notify.Message{Medium: notify.Email, Attempt: 9}}, "/a/", ""},
		{notify.Claim{Message: notify.Message{Medium: notify.Slack, Attempt: 9}}, "/incidents/17", ""},
	} {
		test.claim.Subjects = []notify.Subject{{Number: 17}}
		if err := c.Compose(&test.claim); err != nil {
			t.Fatal(err)
		}
		if got := test.claim.Subjects[0].Link; !strings.HasPrefix(got, "https://tocsin.example.com"+test.link) {
			t.Errorf("%s to %d links to %q", test.claim.Medium, test.claim.UserID, got)
		}
		if got := test.claim.CallbackURL; got != test.callback {
			t.Errorf("%s is reported to %q", test.claim.Medium, got)
		}
	}
}
