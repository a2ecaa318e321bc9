package incident

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// By says who acts, how and when.
type By struct {
	Actor  string // a person's email or "token:NAME"
	UserID *int64 // the person, nil where it is not one
	Via    string // "web", "sms", "link", "api"
	At     time.Time
}

// Command is what somebody wants done to an incident. By.At is the service's to
// fill in.
type Command struct {
	Number int64
	By     By
	Act    Act
}

// MaxText bounds what a person may write at once, in bytes.
const MaxText = 20_000

func tooLong(field, text string) error {
	if len(text) <= MaxText {
		return nil
	}
	return fault.Invalid("The text is too long.").With(fault.Field{Path: field, Message: "At most 20,000 characters."})
}

// Known is what a decision needs to know beside the incident itself.
type Known struct {
	Levels []catalog.Priority
	// DeploymentKnown and Production are of the incident's deployment.
	DeploymentKnown, Production bool
	// Firing counts the incident's alerts that fire.
	Firing int
	// Escalating says that the policy of a flapping incident is running.
	Escalating bool
	// Shadow says that whoever acts is paged for this incident as a shadow, and
	// not otherwise.
	Shadow bool
	// ShadowAcked says that they acknowledged it as one already, since it was
	// opened or reopened.
	ShadowAcked bool
	// LastEscalatedAt is when it was last escalated by hand, nil for never, and
	// LastEscalatedBy who did, by their name.
	LastEscalatedAt *time.Time
	LastEscalatedBy string
	// Ended is what the last resolve ended, of an incident that is resolved.
	Ended Ended
	// GroupOpen is the number of the open incident of its group, of an incident
	// that is resolved; 0 for none.
	GroupOpen int64
	// Requests are those that wait for an answer.
	Requests []ActiveRequest
	// Acknowledgment is the last that made a triggered incident acknowledged, of an
	// incident that is acknowledged; nil where the timeline has none.
	Acknowledgment *LastAcknowledgment
	// NextSteps are those that follow in the policy of an incident that is
	// acknowledged, up to its last step and then its fallback.
	NextSteps []NextStep
}

// LastAcknowledgment is when an incident was acknowledged, and what that ended.
type LastAcknowledgment struct {
	At    time.Time
	Ended Ended
}

// expires is after how long an acknowledgment at a level is asked for again; 0
// for never.
func (k Known) expires(level *int) time.Duration {
	if level == nil {
		return 0
	}
	p, _ := levelNamed(k.Levels, *level)
	return time.Duration(p.AckExpires) * time.Second
}
