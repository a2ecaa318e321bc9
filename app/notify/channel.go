// Package notify carries pages to people: their contact methods and personal
// rules, the bundling of pages into messages, the outbox with its attempts and
// receipts, and the rule that says what becomes of a failure. The providers
// themselves live in packages of their own below this one.
package notify

import (
	"context"
	"time"
)

// Medium is how a message travels: the type of a contact method.
type Medium string

// The media that Tocsin knows. Voice is a type of contact method that a
// configuration may name; while nothing carries it, it counts as failed for
// good, so that paging falls over to the next method.
const (
	SMS   Medium = "sms"
	Email Medium = "email"
	Slack Medium = "slack"
	Voice Medium = "voice"
)

// Kind is what a message is for, which decides its words.
type Kind string

const (
	// KindPage asks its reader to act on one or more incidents.
	KindPage Kind = "page"
	// KindVerify carries the code that proves a contact method.
	KindVerify Kind = "verify"
	// KindReply answers a command that somebody sent us.
	KindReply Kind = "reply"
	// KindNotice tells a person something that asks for no action, such as
	// that a number was replaced or that SMS was switched off.
	KindNotice Kind = "notice"
	// KindChannel is a team's chat channel being told of an incident, and kept
	// up to date: it carries the incident's present state.
	KindChannel Kind = "channel"
)

// Message is one message to one contact method, frozen: what a channel is
// handed is all that it may say.
type Message struct {
	ID int64
	// Attempt identifies this call to the provider. It stands in the callback
	// URL and in the provider's idempotency field where there is one.
	Attempt int64
	Kind    Kind
	Medium  Medium
	// To is the address: a telephone number in E.164, an email address, a
	// Slack member ID ("U…") or channel ("#name" or "C…").
	To string
	// Name is whom it is for, for a salutation. Empty for a chat channel.
	Name string
	// Zone is the time zone of whoever it is for, by its IANA name; empty where
	// nobody said, which is UTC.
	Zone string
	// Subjects are the incidents that the message is about, the most urgent
	// first. A page has at least one; the other kinds may have none.
	Subjects []Subject
	// More counts the incidents that the message is about beyond Subjects, of
	// which there are at most MaxSubjects.
	More int
	// Text is the whole text of a reply or a notice, and the code of a
	// verification. Where it has several lines, the first is its heading.
	Text string
	// Update is the Receipt.ProviderID of an earlier message that this one
	// replaces (Slack's chat.update), or empty. The provider may answer with
	// another one, which is then the message's.
	Update string
	// CallbackURL is where the provider reports what became of the attempt,
	// or empty where it has no such thing.
	CallbackURL string
	// Again marks a send that may have happened before: after a crash, a lapsed
	// lease or a provider's time-out. The reader is told.
	Again bool
}

// Count is how many incidents the message is about.
func (m Message) Count() int { return len(m.Subjects) + m.More }

// MaxSubjects bounds how many incidents a message names.
const MaxSubjects = 50

// Subject is one incident as a message speaks of it.
type Subject struct {
	Number     int64
	Title      string
	Service    string // the service's name
	Deployment string // the deployment's name, or empty
	Priority   string // "P2", or empty
	Status     string // "triggered", "acknowledged" or "resolved"
	// Measure is what was observed against what was promised, such as
	// "98.9 % of 99.7 %", or empty.
	Measure string
	// Why is the reason in one line: "You are main on call in Payments".
	Why string
	// Link is personal, names this incident, expires and needs no sign-in. In a
	// chat channel it is the incident's page.
	Link string
	// Runbook is the address of what to do, or empty.
	Runbook string
	// By and Note tell of the latest change: who acknowledged or resolved it,
	// and with what words. For KindChannel.
	By, Note  string
	StartedAt time.Time
}

// Receipt is what a provider said when it took a message.
type Receipt struct {
	// ProviderID is the provider's own name for the message.
	ProviderID string
	// Delivered is true where acceptance is all that there will ever be to
	// know; otherwise the provider will call back.
	Delivered bool
}

// Failure is why a provider did not take a message.
type Failure struct {
	// Reason is for people, without secrets and addresses: "Twilio: 21610, the
	// recipient has unsubscribed". See Unanswered for calls without an answer.
	Reason string
	// Cause is what a library said, for the log alone, without secrets; empty
	// where Reason says it all.
	Cause string
	// Permanent says that trying this address again is pointless, so that the
	// next contact method is due at once.
	Permanent bool
	// RetryAfter is the provider's wish, or zero.
	RetryAfter time.Duration
	// Uncertain says that the provider may have taken the message all the same
	// (the connection broke, or time ran out), so that a further attempt is
	// marked Again.
	Uncertain bool
}

// Channel delivers one message. A nil Failure means that the provider took it;
// a Failure tells whether to try again, when, or to fall over at once. Deliver
// keeps to ctx's deadline.
type Channel interface {
	Deliver(ctx context.Context, m Message) (Receipt, *Failure)
}
