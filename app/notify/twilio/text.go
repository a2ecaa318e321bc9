package twilio

import (
	"fmt"
	"sort"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/excerpt"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

const (
	// pageSegments is the maximum number of segments of a page: a longer title is cut.
	pageSegments = 3
	// maxLength is the maximum length that Twilio accepts, in characters.
	maxLength = 1600
	// maxName is the maximum length of the name of a service or a deployment and of a
	// measure, in characters.
	maxName = 60
	// maxAsked is the maximum length of the words of who asks for a page, in characters.
	maxAsked = 160
	// maxListed is up to how many further incidents a page lists by number.
	maxListed = 8
)

// Text is the message as an SMS: the incident's number first, in the GSM alphabet where
// the text can be converted to it, and in as few segments as possible.
func Text(m notify.Message) string {
	switch {
	case m.Kind == notify.KindVerify:
		return cut(plain("Your Tocsin code is "+m.Text+". If you did not ask for it, ignore this message."), maxLength)
	case len(m.Subjects) == 0 || m.Kind == notify.KindReply || m.Kind == notify.KindNotice:
		return cut(plain(m.Text), maxLength)
	}
	return page(m)
}

// page explains all replies, or only the short form where that saves a segment.
func page(m notify.Message) string {
	urgent := m.Subjects[0]
	full := fmt.Sprintf("Reply 4 %[1]d to ack, 6 %[1]d resolve.", urgent.Number)
	short := fmt.Sprintf("Reply 4 %d to ack.", urgent.Number)
	if urgent.Asked != "" {
		full = fmt.Sprintf("Reply 4 %[1]d to accept, decline %[1]d if you cannot.", urgent.Number)
	}
	if urgent.Question != "" {
		short = fmt.Sprintf("Reply yes %d.", urgent.Number)
		full = fmt.Sprintf("Reply yes %[1]d to keep it, 6 %[1]d resolve. Without an answer paging starts again in %d min.", urgent.Number, int(urgent.AnswerWithin.Minutes()))
	}
	if count := m.Count(); count > 1 {
		full = fmt.Sprintf("Reply 4 %d to ack, ack all for these %d.", urgent.Number, count)
		short = "Reply ack all."
	}
	text := fitted(m, full)
	if shorter := fitted(m, short); Segments(shorter) < Segments(text) {
		return shorter
	}
	return text
}

// fitted is the page with as much of the title as fits into its segments.
func fitted(m notify.Message, hint string) string {
	title := []rune(cut(oneLine(m.Subjects[0].Title), maxLength))
	text := composed(m, string(title), hint)
	if Segments(text) <= pageSegments {
		return text
	}
	tooLong := sort.Search(len(title), func(length int) bool {
		return Segments(composed(m, string(title[:length])+"...", hint)) > pageSegments
	})
	return composed(m, string(title[:excerpt.Boundary(title, tooLong-1)])+"...", hint)
}

func composed(m notify.Message, title, hint string) string {
	text := strings.TrimLeft(m.Subjects[0].Question+" ", " ") + head(m.Subjects[0], title) + message(m.Subjects[0]) + others(m.Subjects[1:], m.More)
	if m.Again {
		text += " Maybe a repeat."
	}
	text = plain(text + " " + hint)
	if link := m.Subjects[0].Link; link != "" {
		text += " " + link
	}
	return text
}

// head is such as "#17 P2 Checkout API: Slow answers 98.9% of 99.7% (GET /x, prod-eu).";
// title is the subject's, or the part of it that fits. The service's name is left out
// where the title begins with it.
func head(s notify.Subject, title string) string {
	words := []string{fmt.Sprintf("#%d", s.Number), oneLine(s.Priority)}
	if s.Asked != "" {
		words = append(words, name(s.Asked)+":")
	}
	service := name(s.Service)
	if service != "" && !strings.HasPrefix(strings.ToLower(oneLine(s.Title)), strings.ToLower(service)) {
		words = append(words, service+":")
	}
	words = append(words, title, strings.ReplaceAll(name(s.Measure), " %", "%"))
	var place []string
	for _, part := range []string{s.Detail, s.Deployment} {
		if part = excerpt.Ends(oneLine(part), maxName, "..."); part != "" {
			place = append(place, part)
		}
	}
	if place != nil {
		words = append(words, "("+strings.Join(place, ", ")+")")
	}
	line := oneLine(strings.Join(words, " "))
	if strings.HasSuffix(line, ".") {
		return line
	}
	return line + "."
}

// message is the words of who asks for the page.
func message(s notify.Subject) string {
	if s.Message == "" {
		return ""
	}
	return " “" + cut(oneLine(s.Message), maxAsked) + "”."
}

// others counts the incidents beside the most urgent, and lists up to maxListed.
func others(subjects []notify.Subject, more int) string {
	count := len(subjects) + more
	if count == 0 {
		return ""
	}
	if count > maxListed {
		return fmt.Sprintf(" +%d more.", count)
	}
	numbers := make([]string, len(subjects))
	for i, s := range subjects {
		numbers[i] = fmt.Sprintf("#%d", s.Number)
	}
	return fmt.Sprintf(" +%d more: %s.", count, strings.Join(numbers, ", "))
}

func name(text string) string { return cut(oneLine(text), maxName) }

func oneLine(text string) string { return excerpt.OneLine(text) }

// cut keeps a text to a number of characters.
func cut(text string, length int) string { return excerpt.Begin(text, length, "...") }
