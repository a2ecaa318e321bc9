package harness

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

// numbers and addresses of the people in the fixtures.
var numbers = map[string]string{
	"ana": "+34600000001", "ben": "+447700900002", "chiara": "+12025550103", "dana": "+4915100000004", "eve": "+4915100000005",
}

// Phone is a person's telephone.
type Phone struct {
	h      *Harness
	name   string
	number string
}

// Phone is the telephone of a person in the fixtures.
func (h *Harness) Phone(name string) Phone {
	h.t.Helper()
	number, ok := numbers[name]
	if !ok {
		h.t.Fatalf("nobody called %q has a telephone", name)
	}
	return Phone{h, name, number}
}

// Text is a message on a telephone.
type Text struct {
	phone Phone
	far.SMS
	// Clock is what the harness's clock showed when it was looked at.
	Clock time.Time
}

// ExpectSMS reads the oldest unread message; it must contain the words.
func (p Phone) ExpectSMS(words ...string) Text {
	p.h.t.Helper()
	p.h.WaitIdle()
	for _, m := range p.h.Twilio.Messages() {
		if m.To != p.number || p.h.seen["sms "+m.SID] {
			continue
		}
		p.h.seen["sms "+m.SID] = true
		for _, w := range words {
			if !strings.Contains(m.Body, w) {
				p.h.t.Fatalf("%s got an SMS without %q: %s", p.name, w, m.Body)
			}
		}
		return Text{phone: p, SMS: m, Clock: p.h.Now()}
	}
	p.h.t.Fatalf("at %s %s got no SMS", p.h.Now().Format(time.DateTime), p.name)
	return Text{}
}

// ExpectNothing fails if there is an unread message.
func (p Phone) ExpectNothing() {
	p.h.t.Helper()
	p.h.WaitIdle()
	if n := p.unread(); n != nil {
		p.h.t.Fatalf("at %s %s got an SMS that was not expected: %s", p.h.Now().Format(time.DateTime), p.name, n[0].Body)
	}
}

// Ignore marks all as read, and returns how many there were.
func (p Phone) Ignore() int {
	p.h.t.Helper()
	p.h.WaitIdle()
	unread := p.unread()
	for _, m := range unread {
		p.h.seen["sms "+m.SID] = true
	}
	return len(unread)
}

func (p Phone) unread() []far.SMS {
	var unread []far.SMS
	for _, m := range p.h.Twilio.Messages() {
		if m.To == p.number && !p.h.seen["sms "+m.SID] {
			unread = append(unread, m)
		}
	}
	return unread
}

// Reply answers a message, as Twilio passes it on, and returns what is answered
// to that.
func (t Text) Reply(text string) string {
	t.phone.h.t.Helper()
	return t.phone.Send(text)
}

// Send writes a message to Tocsin and returns what is answered.
func (p Phone) Send(text string) string {
	p.h.t.Helper()
	answer, err := p.h.Twilio.Reply(p.h.t.Context(), p.number, text)
	if err != nil {
		p.h.t.Fatal(err)
	}
	p.h.WaitIdle()
	return answer
}

var link = regexp.MustCompile(`https?://\S+/a/[A-Za-z0-9_-]+`)

// Link is the personal link in the text of a message, or empty.
func Link(text string) string { return link.FindString(text) }

// Link is the personal link in a message.
func (t Text) Link() string {
	t.phone.h.t.Helper()
	found := Link(t.Body)
	if found == "" {
		t.phone.h.t.Fatalf("the SMS has no link: %s", t.Body)
	}
	return found
}

// Mailbox is a person's email.
type Mailbox struct {
	h       *Harness
	address string
}

// Mailbox is the email of an address.
func (h *Harness) Mailbox(address string) Mailbox { return Mailbox{h, address} }

// ExpectMail reads the oldest unread mail; its subject and text must contain the words.
func (m Mailbox) ExpectMail(words ...string) far.Mail {
	m.h.t.Helper()
	m.h.WaitIdle()
	for i, mail := range m.h.Mail.Messages() {
		key := fmt.Sprint("mail ", i)
		if !slices.Contains(mail.To, m.address) || m.h.seen[key] {
			continue
		}
		m.h.seen[key] = true
		for _, w := range words {
			if !strings.Contains(mail.Subject+"\n"+mail.Text, w) {
				m.h.t.Fatalf("%s got a mail without %q:\n%s\n%s", m.address, w, mail.Subject, mail.Text)
			}
		}
		return mail
	}
	m.h.t.Fatalf("at %s %s got no mail", m.h.Now().Format(time.DateTime), m.address)
	return far.Mail{}
}

// Ignore marks all as read, and returns how many there were.
func (m Mailbox) Ignore() int {
	m.h.t.Helper()
	m.h.WaitIdle()
	n := 0
	for i, mail := range m.h.Mail.Messages() {
		key := fmt.Sprint("mail ", i)
		if slices.Contains(mail.To, m.address) && !m.h.seen[key] {
			m.h.seen[key] = true
			n++
		}
	}
	return n
}

// NobodyElseIsPaged fails if anybody has an unread message.
func (h *Harness) NobodyElseIsPaged() {
	h.t.Helper()
	h.WaitIdle()
	for _, m := range h.Twilio.Messages() {
		if !h.seen["sms "+m.SID] {
			h.t.Fatalf("%s got an SMS that was not expected: %s", m.To, m.Body)
		}
	}
	for i, m := range h.Mail.Messages() {
		if !h.seen[fmt.Sprint("mail ", i)] {
			h.t.Fatalf("%v got a mail that was not expected: %s", m.To, m.Subject)
		}
	}
}
