package email_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// delivered sends a message and returns the request.
func delivered(t *testing.T, m notify.Message) far.Mail {
	t.Helper()
	server, sender := setup(t, far.MailConfig{})
	if _, failure := sender.Deliver(t.Context(), m); failure != nil {
		t.Fatal(failure.Reason)
	}
	return server.Messages()[0]
}

// Times are local times of the recipient, in daylight saving time and outside it.
func TestTimesInRecipientZone(t *testing.T) {
	t.Parallel()
	summer := time.Date(2026, 7, 23, 22, 30, 0, 0, time.UTC)
	for zone, want := range map[string]string{
		"":              "Since 22:30 UTC, 23 July 2026\n",
		"Europe/Madrid": "Since 00:30 CEST, 24 July 2026\n",
		"Asia/Kolkata":  "Since 04:00 IST, 24 July 2026\n",
		"Nowhere/Land":  "Since 22:30 UTC, 23 July 2026\n",
	} {
		m := page()
		m.Zone, m.Subjects[0].StartedAt = zone, summer
		if got := delivered(t, m); !strings.Contains(unixLines(got.Text), want) {
			t.Errorf("%s: %q is missing:\n%s", zone, want, got.Text)
		}
	}
}

func unixLines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func TestPage(t *testing.T) {
	t.Parallel()
	got := delivered(t, page())
	if want := "[#17 P2 triggered] Availability of get data API (prod-eu)"; got.Subject != want {
		t.Errorf("subject %q, want %q", got.Subject, want)
	}
	want := `Ana Lind, this incident needs you.

#17 P2 triggered: Availability of get data API
Checkout API in prod-eu
98.9 % of 99.7 %
Since 18:04 UTC, 23 November 2026
You are main on call in Payments
Acknowledge #17: https://tocsin.example.com/a/k3y?x=1&y=2
Runbook: https://wiki.example.com/checkout

The links are yours alone: please do not forward this message.
`
	if diff := cmp.Diff(want, unixLines(got.Text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	for _, part := range []string{
		"Ana Lind, this incident needs you.", "#17 P2 triggered", "Availability of get data API", "Checkout API in prod-eu",
		"98.9 % of 99.7 %", "You are main on call in Payments",
		`href="https://tocsin.example.com/a/k3y?x=1&amp;y=2"`, ">Acknowledge #17</a>", `href="https://wiki.example.com/checkout"`,
	} {
		if !strings.Contains(got.HTML, part) {
			t.Errorf("the HTML lacks %q", part)
		}
	}
	for header, want := range map[string]string{
		"To": `"Ana Lind" <ana@example.com>`, "From": `"Tocsin" <tocsin@acme.example>`,
		"Auto-Submitted": "auto-generated", "Importance": "high",
	} {
		if value := got.Header.Get(header); value != want {
			t.Errorf("%s: %s, want %s", header, value, want)
		}
	}
}

// Mail programs drop scripts, and many load no remote resources: the HTML needs
// neither,
// and is well formed.
func TestHTMLIsSelfContained(t *testing.T) {
	t.Parallel()
	m := page()
	m.Again = true
	m.Subjects = append(m.Subjects, notify.Subject{Number: 18, Title: `<script>alert("x")</script>`, Link: "javascript:alert(1)", Status: "acknowledged", By: "Ben", Note: "<b>looking</b>"})
	document := delivered(t, m).HTML
	for _, bad := range []string{"<script", "src=", "url(", "@import", "<link", "<b>", "javascript:"} {
		if strings.Contains(document, bad) {
			t.Errorf("the HTML has %q", bad)
		}
	}
	closed := regexp.MustCompile(`<(meta|br)([^>]*)>`).ReplaceAllString(document, "<$1$2/>") // as XML has it
	decoder := xml.NewDecoder(strings.NewReader(closed))
	decoder.Entity = xml.HTMLEntity
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if bars := regexp.MustCompile(`border-left:6px solid #[0-9a-f]{6}`).FindAllString(document, -1); len(bars) != 2 {
		t.Errorf("%d coloured bars, want 2", len(bars))
	}
}

func TestThreadPerIncident(t *testing.T) {
	t.Parallel()
	first := delivered(t, page())
	root := first.Header.Get("In-Reply-To")
	if want := "<tocsin.incident.17.1795457045@acme.example>"; root != want || first.Header.Get("References") != want {
		t.Errorf("in reply to %s, references %s; want %s", root, first.Header.Get("References"), want)
	}

	later := page()
	later.ID, later.Subjects[0].Status, later.Subjects[0].Title = 6, "acknowledged", "Renamed"
	second := delivered(t, later)
	if second.Header.Get("References") != root {
		t.Error("the next message about the incident is in another thread")
	}
	if second.Header.Get("Message-Id") == first.Header.Get("Message-Id") {
		t.Error("another message has the same id")
	}

	again := page()
	again.Attempt, again.Again = 10, true
	if id := delivered(t, again).Header.Get("Message-Id"); id != first.Header.Get("Message-Id") {
		t.Errorf("the next attempt is %s, the first was %s", id, first.Header.Get("Message-Id"))
	}

	elsewhere := page()
	elsewhere.Subjects[0].StartedAt = elsewhere.Subjects[0].StartedAt.AddDate(0, 1, 0)
	other := delivered(t, elsewhere)
	if other.Header.Get("References") == root || other.Header.Get("Message-Id") == first.Header.Get("Message-Id") {
		t.Error("an incident of the same number that began at another time shares a thread or an id")
	}
}

func TestOtherKinds(t *testing.T) {
	t.Parallel()
	several := page()
	several.Again = true
	several.Name = ""
	for n := int64(18); n <= 80; n++ {
		several.Subjects = append(several.Subjects, notify.Subject{Number: n, Title: "Disk\r\nBcc: eve@example.com", Status: "triggered"})
	}
	channel := page()
	channel.Kind = notify.KindChannel
	channel.Subjects[0].Status, channel.Subjects[0].By, channel.Subjects[0].Note = "resolved", "Ana", "rolled back"
	asked := page()
	asked.Subjects[0].Status, asked.Subjects[0].Asked, asked.Subjects[0].Why = "acknowledged", "Ana Ortiz asks you to take over", "Ana Ortiz: I have to leave"
	tests := []struct {
		name    string
		message notify.Message
		subject string
		parts   []string
	}{
		{"several incidents", several, "[#17 P2 triggered] Availability of get data API (prod-eu), and 63 more",
			[]string{"These 64 incidents need you.", "Maybe a repeat", "#66 triggered", "And 14 more."}},
		{"a verification", notify.Message{ID: 1, Kind: notify.KindVerify, To: ana, Text: "481516"}, "Your Tocsin code: 481516",
			[]string{"481516", "If you did not ask for it"}},
		{"a notice", notify.Message{ID: 2, Kind: notify.KindNotice, To: ana, Text: "SMS is off\nYou answered STOP.\nReply START."}, "Tocsin: SMS is off",
			[]string{"You answered STOP.", "Reply START."}},
		{"a notice of one line", notify.Message{ID: 2, Kind: notify.KindNotice, To: ana, Text: "SMS is off."}, "Tocsin: SMS is off.", []string{"SMS is off."}},
		{"a title that spans lines", notify.Message{ID: 3, Kind: notify.KindPage, To: ana, Subjects: several.Subjects[1:2]}, "[#18 triggered] Disk Bcc: eve@example.com",
			[]string{"Acknowledge", "#18"}},
		{"a state", channel, "[#17 P2 resolved] Availability of get data API (prod-eu)",
			[]string{"Resolved by Ana: rolled back", "Open #17"}},
		{"a request", asked, "[#17 P2] Ana Ortiz asks you to take over: Availability of get data API (prod-eu)",
			[]string{"Ana Ortiz: I have to leave", "Open #17"}},
	}
	tests[4].message.Subjects[0].Link = "https://tocsin.example.com/a/1"
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := delivered(t, test.message)
			if got.Subject != test.subject {
				t.Errorf("subject %q, want %q", got.Subject, test.subject)
			}
			if len(got.To) != 1 || got.Header.Get("Bcc") != "" {
				t.Errorf("went to %q, Bcc %q", got.To, got.Header.Get("Bcc"))
			}
			for _, part := range test.parts {
				if !strings.Contains(got.Text, part) || !strings.Contains(got.HTML, part) {
					t.Errorf("%q is missing:\n%s", part, got.Text)
				}
			}
		})
	}
}

// Two incidents of one SLO differ by their endpoint, in the subject and the text.
func TestIncidentsOfOneTitleReadDifferently(t *testing.T) {
	t.Parallel()
	for _, detail := range []string{"GET /api/data/{tenant}", "GET /api/logs/{tenant}"} {
		m := page()
		m.Subjects[0].Detail = detail
		got := delivered(t, m)
		if want := "[#17 P2 triggered] Availability of get data API (" + detail + ", prod-eu)"; got.Subject != want {
			t.Errorf("subject %q, want %q", got.Subject, want)
		}
		if want := "Checkout API in prod-eu · " + detail + "\n"; !strings.Contains(unixLines(got.Text), want) {
			t.Errorf("%q is missing:\n%s", want, got.Text)
		}
	}
}
