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

	"github.com/tocsin-oncall/tocsin/app/notify"
)

//go:embed letter.txt.tmpl letter.html.tmpl
var templates embed.FS

var (
	textLetter = text.Must(text.ParseFS(templates, "letter.txt.tmpl"))
	htmlLetter = html.Must(html.ParseFS(templates, "letter.html.tmpl"))
)

const (
	// listed is how many incidents a message shows; the rest are counted.
	listed = 50
	// subjectLength is the most characters of a title in a subject line.
	subjectLength = 120
)

// letter is what the templates render.
type letter struct {
	Subject string
	// Lead is the first sentence, and what a phone shows before it is opened.
	Lead  string
	Code  string   // of a verification
	Lines []string // of a reply or a notice
	Again bool
	Cards []card
	More  int  // incidents beyond the cards
	Own   bool // the links act for their reader
}

// card is one incident.
type card struct {
	notify.Subject
	Heading string // "#17 P2 triggered"
	Where   string // "Checkout API in prod-eu"
	Since   string
	Change  string // "Acknowledged by Ana: looking"
	Button  string
	Color   string
}

// compose fails only where the recipient's address is none.
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
	// Nobody's absence note is wanted in answer (RFC 3834, and Exchange's own).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	if m.Kind == notify.KindPage {
		msg.SetImportance(gomail.ImportanceHigh)
	}
	msg.SetBodyString(gomail.TypeTextPlain, rendered(textLetter, l))
	msg.AddAlternativeString(gomail.TypeTextHTML, rendered(htmlLetter, l))
	return msg, nil
}

// rendered fills a template, which can fail only by being wrong itself.
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
	for _, s := range m.Subjects[:min(len(m.Subjects), listed)] {
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
		l.Lead = greeting(m.Name, m.Count())
	default:
		l.Lead, l.Lines = paragraphs(m.Text)
	}
	l.Subject = subjectLine(m, l)
	if m.Kind != notify.KindPage && len(l.Lines) > 0 { // the heading is said once
		l.Lead, l.Lines = l.Lines[0], l.Lines[1:]
	}
	return l
}

func greeting(name string, incidents int) string {
	needs := "this incident needs you."
	if incidents > 1 {
		needs = fmt.Sprintf("these %d incidents need you.", incidents)
	}
	if name = oneLine(name); name != "" {
		return name + ", " + needs
	}
	return strings.ToUpper(needs[:1]) + needs[1:]
}

// paragraphs are a text's first line and the others.
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

// subjectLine is such as "[#17 P2 triggered] Checkout is down, and 2 more".
func subjectLine(m notify.Message, l letter) string {
	if len(l.Cards) == 0 {
		return "Tocsin: " + cut(l.Lead, subjectLength)
	}
	line := "[" + l.Cards[0].Heading + "] " + cut(oneLine(l.Cards[0].Title), subjectLength)
	if more := m.Count() - 1; more > 0 {
		line += fmt.Sprintf(", and %d more", more)
	}
	return line
}

// zoneOf is the time zone that the reader lives by.
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
	if s.Deployment != "" {
		c.Where = oneLine(c.Where + " in " + s.Deployment)
	}
	if !s.StartedAt.IsZero() {
		c.Since = s.StartedAt.In(zone).Format("15:04 MST, 2 January 2006") // with its day: mail is read late
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

// incidentID names the thread of an incident. No message bears it: it is what
// all of them answer to. The start keeps incidents of two installations apart
// that send from one domain.
func incidentID(s notify.Subject, domain string) string {
	return fmt.Sprintf("tocsin.incident.%d.%d@%s", s.Number, s.StartedAt.Unix(), domain)
}

// messageID is the same for every attempt at a message, so that a mail program
// shows a repeat once, and another for any other message, also that of another
// installation.
func messageID(m notify.Message, domain string) string {
	same := fmt.Appendf(nil, "%s|%s|%s", m.Kind, m.To, m.Text)
	for _, s := range m.Subjects {
		same = fmt.Appendf(same, "|%d|%d|%s", s.Number, s.StartedAt.Unix(), s.Link)
	}
	hash := fnv.New64a()
	hash.Write(same)
	return fmt.Sprintf("tocsin.message.%d.%016x@%s", m.ID, hash.Sum64(), domain)
}

// oneLine makes every run of white space one space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// cut keeps a text to a number of characters.
func cut(text string, length int) string {
	runes := []rune(text)
	if len(runes) <= length {
		return text
	}
	return string(runes[:length-1]) + "…"
}
