package email

import (
	"embed"
	"fmt"
	"hash/fnv"
	html "html/template"
	"io"
	"strings"
	text "text/template"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/tocsin-oncall/tocsin/app/excerpt"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

//go:embed letter.txt.tmpl letter.html.tmpl
var templates embed.FS

var (
	textLetter = text.Must(text.ParseFS(templates, "letter.txt.tmpl"))
	htmlLetter = html.Must(html.ParseFS(templates, "letter.html.tmpl"))
)

const (
	// maxListed is how many incidents a message shows; the rest are counted.
	maxListed = 50
	// maxTitle is the maximum length of a title in a subject line, in characters.
	maxTitle = 120
	// maxPlace is that of a detail and of a deployment's name.
	maxPlace = 60
)

// letter is the data of the templates.
type letter struct {
	Subject string
	// Lead is the first sentence, which mail programs show as the preview.
	Lead  string
	Code  string   // of a verification
	Lines []string // of a reply or a notice
	Again bool
	Cards []card
	More  int  // incidents beyond the cards
	Own   bool // the links act for their recipient
}

// card is one incident.
type card struct {
	notify.Subject
	Heading string // "#17 P2 triggered"
	Where   string // "Checkout API in prod-eu · GET /x"
	Since   string
	Change  string // "Acknowledged by Ana: looking"
	Button  string
	Color   string
}

// compose fails only where the recipient's address is invalid.
func (s *Sender) compose(m notify.Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	if err := msg.AddToFormat(oneLine(m.Name), m.To); err != nil {
		return nil, err
	}
	l := newLetter(m)
	msg.Subject(l.Subject)
	msg.SetMessageIDWithValue(messageID(m, s.domain()))
	if len(m.Subjects) > 0 {
		root := "<" + incidentID(m.Subjects[0], s.domain()) + ">"
		msg.SetGenHeader(gomail.HeaderInReplyTo, root)
		msg.SetGenHeader(gomail.HeaderReferences, root)
	}
	// These suppress automatic replies (RFC 3834, and the header of Exchange).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	if m.Kind == notify.KindPage {
		msg.SetImportance(gomail.ImportanceHigh)
	}
	msg.SetBodyString(gomail.TypeTextPlain, rendered(textLetter, l))
	msg.AddAlternativeString(gomail.TypeTextHTML, rendered(htmlLetter, l))
	return msg, nil
}

// rendered executes a template. An error is a bug in the template.
func rendered(template interface {
	Execute(io.Writer, any) error
}, l letter) string {
	var b strings.Builder
	if err := template.Execute(&b, l); err != nil {
		panic(fmt.Sprintf("email: %v", err))
	}
	return b.String()
}

func newLetter(m notify.Message) letter {
	l := letter{Again: m.Again, Own: m.Kind == notify.KindPage}
	for _, s := range m.Subjects[:min(len(m.Subjects), maxListed)] {
		l.Cards = append(l.Cards, newCard(s, zoneOf(m)))
	}
	l.More = m.Count() - len(l.Cards)
	switch m.Kind {
	case notify.KindVerify:
		l.Code = oneLine(m.Text)
		l.Subject = "Your Tocsin code: " + l.Code
		l.Lead = "This code proves that the address is yours. If you did not ask for it, ignore this message."
		return l
	case notify.KindPage:
		l.Lead = greeting(m)
	default:
		l.Lead, l.Lines = paragraphs(m.Text)
	}
	l.Subject = subjectLine(m, l)
	if m.Kind != notify.KindPage && len(l.Lines) > 0 { // without repeating the heading
		l.Lead, l.Lines = l.Lines[0], l.Lines[1:]
	}
	return l
}

func greeting(m notify.Message) string {
	needs := "this incident needs you."
	if incidents := m.Count(); incidents > 1 {
		needs = fmt.Sprintf("these %d incidents need you.", incidents)
	} else if s := m.Subjects[0]; s.Question != "" {
		needs = fmt.Sprintf("are you still working on this incident? Without an answer within %d minutes, paging starts again.", int(s.AnswerWithin.Minutes()))
	}
	if name := oneLine(m.Name); name != "" {
		return name + ", " + needs
	}
	return strings.ToUpper(needs[:1]) + needs[1:]
}

// paragraphs splits a text into its first line and the others.
func paragraphs(text string) (string, []string) {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "", nil
	}
	return lines[0], lines[1:]
}

// subjectLine is such as "[#17 P2 triggered] Checkout is down (GET /x, prod-eu), and 2 more",
// or "[#17 P2] Ana Ortiz asks you to join: Checkout is down".
func subjectLine(m notify.Message, l letter) string {
	if len(l.Cards) == 0 {
		return "Tocsin: " + cut(l.Lead, maxTitle)
	}
	first := &l.Cards[0]
	line := "[" + first.Heading + "] "
	if first.Asked != "" {
		line = "[" + oneLine(fmt.Sprintf("#%d %s", first.Number, first.Priority)) + "] " + oneLine(first.Asked) + ": "
	}
	if first.Question != "" {
		line += first.Question + " "
	}
	line += cut(oneLine(first.Title), maxTitle)
	var place []string
	for _, part := range []string{first.Detail, first.Deployment} {
		if part = excerpt.Ends(oneLine(part), maxPlace, "…"); part != "" {
			place = append(place, part)
		}
	}
	if place != nil {
		line += " (" + strings.Join(place, ", ") + ")"
	}
	if more := m.Count() - 1; more > 0 {
		line += fmt.Sprintf(", and %d more", more)
	}
	return line
}

// zoneOf is the recipient's time zone.
func zoneOf(m notify.Message) *time.Location {
	zone, err := time.LoadLocation(m.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func newCard(s notify.Subject, zone *time.Location) card {
	c := card{
		Subject: s,
		Heading: oneLine(fmt.Sprintf("#%d %s %s", s.Number, s.Priority, s.Status)),
		Where:   oneLine(s.Service),
		Change:  change(s),
		Button:  fmt.Sprintf("Open #%d", s.Number),
		Color:   colors[s.Status],
	}
	if c.Color == "" || s.Status == "triggered" {
		c.Color, c.Button = colors["triggered"], fmt.Sprintf("Acknowledge #%d", s.Number)
	}
	if s.Question != "" {
		c.Button = fmt.Sprintf("Still on #%d", s.Number)
	}
	if s.Deployment != "" {
		c.Where = oneLine(c.Where + " in " + s.Deployment)
	}
	if s.Detail != "" {
		c.Where = strings.TrimPrefix(c.Where+" · "+oneLine(s.Detail), " · ")
	}
	if !s.StartedAt.IsZero() {
		c.Since = s.StartedAt.In(zone).Format("15:04 MST, 2 January 2006") // with the date, since mail may be read days later
	}
	return c
}

// colors are those of a state's bar, on light and on dark.
var colors = map[string]string{"triggered": "#d92d20", "acknowledged": "#b54708", "resolved": "#079455"}

// change is who did what last: "Acknowledged by Ana: looking".
func change(s notify.Subject) string {
	if s.By == "" {
		return oneLine(s.Note)
	}
	line := "Last change by " + s.By
	if s.Status == "acknowledged" || s.Status == "resolved" {
		line = strings.ToUpper(s.Status[:1]) + s.Status[1:] + " by " + s.By
	}
	if s.Note != "" {
		line += ": " + s.Note
	}
	return oneLine(line)
}

// incidentID is the Message-ID that all messages of an incident refer to, so that they
// are one thread; no message has it itself. It includes the start, since two
// installations may send from one domain.
func incidentID(s notify.Subject, domain string) string {
	return fmt.Sprintf("tocsin.incident.%d.%d@%s", s.Number, s.StartedAt.Unix(), domain)
}

// messageID is the same for every attempt of a message, so that mail programs show a
// repeat once, and differs between messages, also of different installations.
func messageID(m notify.Message, domain string) string {
	same := fmt.Appendf(nil, "%s|%s|%s", m.Kind, m.To, m.Text)
	for _, s := range m.Subjects {
		same = fmt.Appendf(same, "|%d|%d|%s", s.Number, s.StartedAt.Unix(), s.Link)
	}
	hash := fnv.New64a()
	hash.Write(same)
	return fmt.Sprintf("tocsin.message.%d.%016x@%s", m.ID, hash.Sum64(), domain)
}

func oneLine(text string) string { return excerpt.OneLine(text) }

// cut keeps a text to a number of characters.
func cut(text string, length int) string { return excerpt.Begin(text, length, "…") }
