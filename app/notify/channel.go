// Package notify sends pages to people: contact methods and personal rules, the
// bundling of pages into messages, and the outbox with its attempts, receipts and
// retries. Each provider is a package below this one.
package notify

import (
	"context"
	"time"
)

// Medium is the type of a contact method.
type Medium string

// The media. There is no channel for Voice yet: a contact method of it fails
// permanently, so that the next method is used.
const (
	SMS   Medium = "sms"
	Email Medium = "email"
	Slack Medium = "slack"
	Voice Medium = "voice"
)

// Kind is the purpose of a message, which decides its text.
type Kind string

const (
	// KindPage asks its recipient to act on one or more incidents.
	KindPage Kind = "page"
	// KindVerify carries the code that proves a contact method.
	KindVerify Kind = "verify"
	// KindReply answers a command that somebody sent.
	KindReply Kind = "reply"
	// KindNotice needs no action: a number was replaced, SMS was switched off.
	KindNotice Kind = "notice"
	// KindChannel posts an incident to a team's chat channel, and updates the post to
	// the incident's current state.
	KindChannel Kind = "channel"
)

// Message is one message to one contact method. It is complete: a channel adds no facts
// of its own.
type Message struct {
	ID int64
	// Attempt identifies this call to the provider. It is part of the callback URL and
	// of the provider's idempotency field where there is one.
	Attempt int64
	Kind    Kind
	Medium  Medium
	// To is the address: a telephone number in E.164, an email address, a
	// Slack member ID ("U…") or channel ("#name" or "C…").
	To string
	// Name is the recipient's, for a salutation. Empty for a chat channel.
	Name string
	// Zone is the IANA name of the recipient's time zone; empty for UTC.
	Zone string
	// Subjects are the incidents that the message is about, the most urgent
	// first. A page has at least one; the other kinds may have none.
	Subjects []Subject
	// More counts the incidents that the message is about beyond Subjects, of
	// which there are at most MaxSubjects.
	More int
	// States counts the incidents of a channel's post by their status, those beyond
	// Subjects among them; nil for other messages.
	States map[string]int
	// Text is the whole text of a reply or a notice, and the code of a
	// verification. Where it has several lines, the first is its heading.
	Text string
	// Update is the Receipt.ProviderID of an earlier message that this one
	// replaces (Slack's chat.update), or empty. The provider may answer with
	// another one, which is then the message's.
	Update string
	// CallbackURL is where the provider reports delivery, empty for none.
	CallbackURL string
	// Again marks a message that may have been sent before: after a crash, an expired
	// lease or a provider's timeout. The text says so.
	Again bool
}

// Count is how many incidents the message is about.
func (m Message) Count() int { return len(m.Subjects) + m.More }

// MaxSubjects bounds how many incidents a message names.
const MaxSubjects = 50

// Subject is one incident in a message.
type Subject struct {
	Number     int64
	Title      string
	Service    string // the service's name
	Deployment string // the deployment's name, or empty
	// Detail tells the incident from others of its title: an endpoint, a host. It may be
	// empty. Every message names it with the title.
	Detail   string
	Priority string // "P2", or empty
	Status   string // "triggered", "acknowledged" or "resolved"
	// Measure is what was observed against what was promised, such as
	// "98.9 % of 99.7 %", or empty.
	Measure string
	// Why is the reason in one line: "You are main on call in Payments".
	Why string
	// Asked is who asks for the page and for what, such as "Ana Ortiz asks you to join",
	// with the words Message; both are empty where no person asks. The answer is to
	// join or to decline.
	Asked, Message string
	// Link acts for its recipient on this incident, expires and needs no sign-in. In a
	// chat channel it is the URL of the incident's page.
	Link string
	// Runbook is the URL of the runbook, or empty.
	Runbook string
	// Question asks the recipient, who acknowledged it, whether they still work on it:
	// "Still on it?". Empty for none.
	Question string
	// AnswerWithin is how long they have to answer a Question before paging starts
	// again.
	AnswerWithin time.Duration
	// By and Note are of the latest change, for KindChannel: who acknowledged or
	// resolved it, and the note.
	By, Note  string
	StartedAt time.Time
}

// Receipt is a provider's answer to an accepted message.
type Receipt struct {
	// ProviderID is the provider's own name for the message.
	ProviderID string
	// Delivered is true where the provider reports nothing after acceptance; otherwise
	// it will call back.
	Delivered bool
	// Ask says that the provider will not call back, and can be asked.
	Ask bool
}

// Failure is why a provider did not accept a message.
type Failure struct {
	// Reason is for people, without secrets and addresses: "Twilio: 21610, the
	// recipient has unsubscribed". See Unanswered for calls without an answer.
	Reason string
	// Cause is the error of a library, for the log only, without secrets; empty where
	// Reason is sufficient.
	Cause string
	// Scope says what the failure is about.
	Scope Scope
	// Permanent says that this address is not tried again, so that the next contact
	// method is due at once.
	Permanent bool
	// Unsubscribed says that the recipient has told the provider to send nothing more.
	Unsubscribed bool
	// RetryAfter is the provider's Retry-After, or zero.
	RetryAfter time.Duration
	// Uncalled says that the provider was not called, since it had asked to wait.
	Uncalled bool
	// Uncertain says that the provider may have accepted the message nevertheless (a
	// lost connection, a timeout), so that a further attempt is marked Again.
	Uncertain bool
}

// Channel delivers one message. A nil Failure means that the provider accepted it; a
// Failure says whether to try again, when, or to fall over at once. Deliver returns
// within ctx's deadline.
type Channel interface {
	Deliver(ctx context.Context, m Message) (Receipt, *Failure)
}

// LastResults are the latest results of a medium.
type LastResults struct {
	// Accepted is when a provider last accepted a message, and Failed when one last
	// failed; nil where that is not among the latest attempts.
	Accepted, Failed *time.Time
	// Reason is why the last one failed, in words.
	Reason string
}

// Channels finds the channel of a medium, nil where there is none. Channels come and go
// while the server runs.
type Channels interface {
	Channel(m Medium) Channel
}

// FixedChannels are channels that never change.
type FixedChannels map[Medium]Channel

// Channel implements Channels.
func (f FixedChannels) Channel(m Medium) Channel { return f[m] }

// Limited is a Channel whose provider limits the calls of each of its methods.
type Limited interface {
	// Method is the one that a message is delivered by.
	Method(m Message) string
}

// Asked is a Channel that can be asked what became of a message.
type Asked interface {
	// State is the state of a message, by the provider's id: "sent", "delivered" or
	// "failed", the last with the reason; or "" while there is nothing new.
	State(ctx context.Context, providerID string) (state, reason string, err error)
}
