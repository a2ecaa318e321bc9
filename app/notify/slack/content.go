package slack

import (
	"fmt"
	"strings"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"

	"github.com/tocsin-oncall/tocsin/app/excerpt"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Limits in characters. headerLength is Slack's; the others are below those of Slack.
const (
	titleLength  = 300
	headerLength = 150
	placeLength  = 60
	textLength   = 2500
	linkLength   = 3000
	// maxListed is how many incidents a message shows; the rest are counted.
	maxListed = 10
)

// colors are those of the bar beside an incident, by its state.
var colors = map[string]string{"triggered": "#d92d20", "acknowledged": "#f79009", "resolved": "#12b76a"}

// content is the message for Slack: a plain text, for notifications and screen readers,
// and a card for each incident. Whatever a signal or a person wrote is plain text, which
// Slack shows as it was typed; only words of this package are mrkdwn.
func content(m notify.Message) []slackapi.MsgOption {
	options := []slackapi.MsgOption{
		slackapi.MsgOptionText(summary(m), true),
		slackapi.MsgOptionDisableMarkdown(),
		slackapi.MsgOptionDisableLinkUnfurl(),
		slackapi.MsgOptionDisableMediaUnfurl(),
	}
	if lead := lead(m); len(lead) > 0 {
		options = append(options, slackapi.MsgOptionBlocks(lead...))
	}
	titled := !alone(m) // else the lead has the title
	var cards []slackapi.Attachment
	for _, s := range m.Subjects[:min(len(m.Subjects), maxListed)] {
		cards = append(cards, card(m.Kind, s, titled))
	}
	return append(options, slackapi.MsgOptionAttachments(cards...))
}

// alone reports whether the message is about one incident and nothing else.
func alone(m notify.Message) bool {
	return m.Count() == 1 && (m.Kind == notify.KindPage || m.Kind == notify.KindChannel)
}

// summary is what a notification on a phone shows.
func summary(m notify.Message) string {
	switch {
	case m.Kind == notify.KindVerify:
		return "Your Tocsin code is " + m.Text
	case len(m.Subjects) == 0 || m.Kind == notify.KindReply || m.Kind == notify.KindNotice:
		return cut(m.Text, textLength)
	}
	s := m.Subjects[0]
	words := []string{s.Question, fmt.Sprintf("#%d", s.Number), s.Priority, s.Status + ":", s.Title}
	switch {
	case s.Asked != "":
		words[3] = s.Asked + ":"
	case s.Status == "":
		words[3] = ""
	}
	text := cut(oneLine(strings.Join(words, " ")), titleLength)
	if place := place(s); place != "" {
		text += " (" + place + ")"
	}
	if more := m.Count() - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// place tells an incident from others of its title: "GET /x, prod-eu".
func place(s notify.Subject) string {
	var parts []string
	for _, part := range []string{s.Detail, s.Deployment} {
		if part = excerpt.Ends(oneLine(part), placeLength, "…"); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// lead is what stands above the cards. Where it is empty, Slack shows the summary.
func lead(m notify.Message) []slackapi.Block {
	var blocks []slackapi.Block
	var lines []string
	switch m.Kind {
	case notify.KindVerify:
		lines = append(lines, "Your Tocsin code is *"+escaped(m.Text)+"*. If you did not ask for it, ignore this message.")
	case notify.KindReply, notify.KindNotice:
		blocks = append(blocks, plain(cut(m.Text, textLength)))
	default:
		if alone(m) {
			blocks = append(blocks, title(m.Subjects[0]))
			if s := m.Subjects[0]; s.Question != "" {
				lines = append(lines, fmt.Sprintf("%s Without an answer within %d minutes, paging starts again.", s.Question, int(s.AnswerWithin.Minutes())))
			}
		} else if m.Count() > 1 {
			lines = append(lines, bundleLead(m))
		}
	}
	if more := m.Count() - maxListed; more > 0 {
		lines = append(lines, fmt.Sprintf("The first %d are below, %d more are not.", maxListed, more))
	}
	if m.Again {
		lines = append(lines, "_Maybe a repeat: the first may have got lost on its way._")
	}
	if len(lines) > 0 {
		blocks = append(blocks, section(strings.Join(lines, "\n")))
	}
	return blocks
}

// bundleLead is the heading of several incidents: what they ask for or, in a channel,
// how they are.
func bundleLead(m notify.Message) string {
	if m.Kind == notify.KindPage {
		return fmt.Sprintf("*%d incidents need you.*", m.Count())
	}
	var parts []string
	for _, state := range []string{"triggered", "acknowledged", "resolved"} {
		if n := m.States[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return fmt.Sprintf("*%d incidents: %s.*", m.Count(), strings.Join(parts, ", "))
}

// card is one incident, with a bar in the colour of its state.
func card(kind notify.Kind, s notify.Subject, titled bool) slackapi.Attachment {
	var blocks []slackapi.Block
	if titled {
		blocks = append(blocks, title(s))
	}
	if facts := facts(s); facts != "" {
		blocks = append(blocks, plain(facts))
	}
	if notes := notes(s); len(notes) > 0 {
		blocks = append(blocks, slackapi.NewContextBlock("", notes...))
	}
	if buttons := buttons(kind, s); len(buttons) > 0 {
		blocks = append(blocks, slackapi.NewActionBlock("", buttons...))
	}
	color, known := colors[s.Status]
	if !known {
		color = colors["triggered"]
	}
	return slackapi.Attachment{
		Color:    color,
		Fallback: cut(oneLine(fmt.Sprintf("#%d %s", s.Number, s.Title)), titleLength),
		Blocks:   slackapi.Blocks{BlockSet: blocks},
	}
}

// title is such as "#17 P2 Checkout is down", as a heading where it is short enough for
// one.
func title(s notify.Subject) slackapi.Block {
	text := cut(oneLine(fmt.Sprintf("#%d %s %s", s.Number, s.Priority, s.Title)), titleLength)
	if utf8.RuneCountInString(text) > headerLength {
		return plain(text)
	}
	return slackapi.NewHeaderBlock(plainText(text))
}

// facts are the present state, and where what is measured, a line each.
func facts(s notify.Subject) string {
	where := s.Service
	if s.Deployment != "" {
		where += " in " + s.Deployment
	}
	var places []string
	for _, fact := range []string{where, s.Detail, s.Measure} {
		if fact = cut(oneLine(fact), titleLength); fact != "" {
			places = append(places, fact)
		}
	}
	var lines []string
	for _, line := range []string{state(s), strings.Join(places, " · ")} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// state is such as "Acknowledged by Ana: looking".
func state(s notify.Subject) string {
	if s.Status == "" {
		return ""
	}
	line := strings.ToUpper(s.Status[:1]) + s.Status[1:]
	if s.By != "" {
		line += " by " + cut(oneLine(s.By), titleLength)
	}
	if s.Note != "" {
		line += ": " + cut(oneLine(s.Note), titleLength)
	}
	return line
}

// notes are the start, in the recipient's time zone, and the reason of the page.
func notes(s notify.Subject) []slackapi.MixedElement {
	var notes []slackapi.MixedElement
	if !s.StartedAt.IsZero() {
		notes = append(notes, mrkdwn(fmt.Sprintf("Since <!date^%d^{date_short_pretty}, {time}|%s>",
			s.StartedAt.Unix(), s.StartedAt.UTC().Format("2 January 2006, 15:04 UTC"))))
	}
	if why := cut(oneLine(s.Why), titleLength); why != "" {
		notes = append(notes, plainText(why))
	}
	return notes
}

// buttons are links: to the page that acknowledges, or to the incident.
func buttons(kind notify.Kind, s notify.Subject) []slackapi.BlockElement {
	var buttons []slackapi.BlockElement
	if isLink(s.Link) {
		if kind == notify.KindPage && s.Question != "" {
			buttons = append(buttons, link("acknowledge", fmt.Sprintf("Still on #%d", s.Number), s.Link).WithStyle(slackapi.StylePrimary))
		} else if kind == notify.KindPage && s.Status != "acknowledged" && s.Status != "resolved" {
			buttons = append(buttons, link("acknowledge", fmt.Sprintf("Acknowledge #%d", s.Number), s.Link).WithStyle(slackapi.StylePrimary))
		} else {
			buttons = append(buttons, link("open", fmt.Sprintf("Open #%d", s.Number), s.Link))
		}
	}
	if isLink(s.Runbook) {
		buttons = append(buttons, link("runbook", "Runbook", s.Runbook))
	}
	return buttons
}

// isLink reports whether Slack accepts a URL for a button; with one that it does not
// accept it refuses the whole message.
func isLink(address string) bool {
	return (strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")) && len(address) <= linkLength
}

func link(action, label, address string) *slackapi.ButtonBlockElement {
	return slackapi.NewButtonBlockElement(action, "", plainText(label)).WithURL(address)
}

func section(text string) slackapi.Block {
	return slackapi.NewSectionBlock(mrkdwn(text), nil, nil)
}

func plain(text string) slackapi.Block {
	return slackapi.NewSectionBlock(plainText(text), nil, nil)
}

// plainText is shown as it is: no names of emoji, no mrkdwn.
func plainText(text string) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.PlainTextType, text, false, false)
}

// mrkdwn is verbatim: what looks like a channel or an address stays text.
func mrkdwn(text string) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.MarkdownType, text, false, true)
}

// escaped escapes the three control characters of mrkdwn, so that no text can mention
// a channel.
func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

func oneLine(text string) string { return excerpt.OneLine(text) }

// cut keeps a text to a number of characters.
func cut(text string, length int) string { return excerpt.Begin(text, length, "…") }
