package incident

import "time"

// In payloads, Via is how a person acted ("web", "sms", "link", "api"), Sender
// the name of the integration as it was then, and a level is "P2", or empty for
// none.

// ReceivedPayload is of a signal that opened the incident, or of a person who
// did.
type ReceivedPayload struct {
	Sender   string   `json:"sender,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// RepeatedPayload is of an alert that fires again while the incident is open.
type RepeatedPayload struct {
	Sender string `json:"sender,omitempty"`
	// Occurrences counts all triggers of the alert.
	Occurrences int64 `json:"count,omitempty"`
}

// RaisedPayload is of a signal that raised the priority.
type RaisedPayload struct {
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Sender string `json:"sender,omitempty"`
}

// JoinedPayload is of another alert of the group that fires.
type JoinedPayload struct {
	Alert    string   `json:"text,omitempty"` // its title
	Severity string   `json:"to,omitempty"`   // the sender's, empty for none
	Sender   string   `json:"sender,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// WorsePayload is of a sender's severity that got worse.
type WorsePayload struct {
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Sender string `json:"sender,omitempty"`
}

// RecoveredPayload is of an alert that stopped firing.
type RecoveredPayload struct {
	Sender string `json:"sender,omitempty"`
}

// ReopenedPayload is of a signal, which has a Sender, or of a person.
type ReopenedPayload struct {
	Via      string   `json:"via,omitempty"`
	Sender   string   `json:"sender,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// Until is set where nobody is paged until then: the sender asked for quiet.
	Until time.Time `json:"until,omitzero"`
}

// FlappingPayload is of an incident that stays open from now on.
type FlappingPayload struct {
	// Reopens counts those of the last hour.
	Reopens int64 `json:"count,omitempty"`
	// Until is when the quiet period ends, if nothing changes until then.
	Until time.Time `json:"until,omitzero"`
}

// StillFiringPayload is of a flapping incident that fires without a recovery, so that it
// pages.
type StillFiringPayload struct {
	Since time.Time `json:"until,omitzero"` // an instant, under the stored name for one
}

// QuietPeriodOverPayload is of a flapping or muted incident whose quiet period
// ended.
type QuietPeriodOverPayload struct {
	// Firing counts the alerts that fire.
	Firing int64 `json:"count,omitempty"`
}

// PolicyPlace is a place in an escalation policy, and who is there.
type PolicyPlace struct {
	Policy     string `json:"policy,omitempty"` // its name
	PolicySlug string `json:"via,omitempty"`
	// Step is counted from 1; it is 0 for what comes after the steps, which Phase
	// names: "fallback" or "administrators".
	Step  int    `json:"step,omitempty"`
	Run   int    `json:"run,omitempty"` // counted from 1
	Phase string `json:"to,omitempty"`
	// Targets are in words: "main on call in Payments".
	Targets []string `json:"targets,omitempty"`
	// People are those who were reached, without shadows.
	People []int64 `json:"people,omitempty"`
	// Unreached are those who could not be, without shadows.
	Unreached []Unreached `json:"unreached,omitempty"`
}

// Unreached is a person who is not paged, and why: "no verified contact method".
type Unreached struct {
	Person int64  `json:"person"`
	Reason string `json:"reason"`
}

func (p PolicyPlace) place() PolicyPlace { return p }

// PlaceOf is the place in a policy that a payload is about.
func PlaceOf(p Payload) (PolicyPlace, bool) {
	if at, ok := p.(interface{ place() PolicyPlace }); ok {
		return at.place(), true
	}
	return PolicyPlace{}, false
}

// StepPayload is of a step, or what comes after the steps, that paged somebody.
type StepPayload struct{ PolicyPlace }

// PassedOverPayload is of a step that found nobody, or whose every attempt
// failed; then Reason says so, and the place is empty.
type PassedOverPayload struct {
	PolicyPlace
	Reason string `json:"text,omitempty"`
}

// HeldPayload is of a step whose schedules have nobody outside their required cover,
// and that waits for it.
type HeldPayload struct {
	PolicyPlace
	Until time.Time `json:"until,omitzero"`
}

// HandoverPayload is of people who came on call while a step was waiting.
type HandoverPayload struct{ PolicyPlace }

// ExhaustedPayload is of a policy whose every run is over.
type ExhaustedPayload struct{ PolicyPlace }

// WaitingPayload is of a low urgency, which waits for support hours.
type WaitingPayload struct {
	Until time.Time `json:"until,omitzero"`
}

// AcknowledgedPayload is of an acknowledgment.
type AcknowledgedPayload struct {
	Via string `json:"via,omitempty"`
	// Again is set where it was acknowledged already.
	Again bool `json:"again,omitempty"`
	// Ended is what it ended, nil for nothing.
	Ended *Ended `json:"held,omitempty"`
}

// ShadowAckPayload is of a shadow's acknowledgment.
type ShadowAckPayload struct {
	Via string `json:"via,omitempty"`
}

// UnacknowledgedPayload is of an acknowledgment that was given back.
type UnacknowledgedPayload struct {
	Via string `json:"via,omitempty"`
}

// StillOnItPayload is of an owner who is asked whether they are still on it.
type StillOnItPayload struct {
	People []int64 `json:"people,omitempty"` // the owner
}

// AckExpiredPayload is of an owner who did not answer; of a token, which cannot,
// People is empty.
type AckExpiredPayload struct {
	People []int64 `json:"people,omitempty"`
}

// ResolvedPayload is of the end of an incident.
type ResolvedPayload struct {
	Via string `json:"via,omitempty"`
	// Resolution is what fixed it, in the resolver's words.
	Resolution string `json:"text,omitempty"`
	// Ended is what a resolve by hand ended, nil for nothing.
	Ended *Ended `json:"held,omitempty"`
}

// ResolveUndonePayload is of a resolve by hand that was taken back.
type ResolveUndonePayload struct {
	Via string `json:"via,omitempty"`
	// Status is "triggered" where nobody had acknowledged, else empty.
	Status Status `json:"to,omitempty"`
}

// EscalatedPayload is of an escalation by hand.
type EscalatedPayload struct {
	Via string `json:"via,omitempty"`
	// From is "acknowledged" where that ended by it, else empty.
	From Status `json:"from,omitempty"`
	// Owner is whose acknowledgment ended, where it was a person's.
	Owner []int64 `json:"people,omitempty"`
	// Joining is set where the owner stays and the people of Step, 0 for the
	// fallback, are asked to join.
	Joining bool `json:"joining,omitempty"`
	Step    int  `json:"step,omitempty"`
}

// PriorityPayload is of a priority that was set by hand; From and To are the same
// where it was confirmed.
type PriorityPayload struct {
	Via    string `json:"via,omitempty"`
	Reason string `json:"text,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
}

// NotePayload is of a note.
type NotePayload struct {
	Via  string `json:"via,omitempty"`
	Text string `json:"text,omitempty"`
}

// ChannelFailedPayload is of a post to a chat channel that failed.
type ChannelFailedPayload struct {
	Address string `json:"to,omitempty"`
	Reason  string `json:"text,omitempty"`
}

// LeftPayload is of somebody who was paged and deactivated since.
type LeftPayload struct {
	Text   string  `json:"text,omitempty"`
	People []int64 `json:"people,omitempty"`
}

// TroublePayload is of an error of Tocsin itself.
type TroublePayload struct {
	Text string `json:"text,omitempty"`
}

// Kind implements Payload.
func (ReceivedPayload) Kind() EventKind { return EvReceived }

// Kind implements Payload.
func (RepeatedPayload) Kind() EventKind { return EvRepeated }

// Kind implements Payload.
func (RaisedPayload) Kind() EventKind { return EvRaised }

// Kind implements Payload.
func (JoinedPayload) Kind() EventKind { return EvJoined }

// Kind implements Payload.
func (WorsePayload) Kind() EventKind { return EvWorse }

// Kind implements Payload.
func (RecoveredPayload) Kind() EventKind { return EvRecovered }

// Kind implements Payload.
func (ReopenedPayload) Kind() EventKind { return EvReopened }

// Kind implements Payload.
func (FlappingPayload) Kind() EventKind { return EvFlapping }

// Kind implements Payload.
func (StillFiringPayload) Kind() EventKind { return EvStillFiring }

// Kind implements Payload.
func (QuietPeriodOverPayload) Kind() EventKind { return EvQuietPeriodOver }

// Kind implements Payload.
func (StepPayload) Kind() EventKind { return EvStep }

// Kind implements Payload.
func (PassedOverPayload) Kind() EventKind { return EvPassedOver }

// Kind implements Payload.
func (HeldPayload) Kind() EventKind { return EvHeld }

// Kind implements Payload.
func (HandoverPayload) Kind() EventKind { return EvHandover }

// Kind implements Payload.
func (ExhaustedPayload) Kind() EventKind { return EvExhausted }

// Kind implements Payload.
func (WaitingPayload) Kind() EventKind { return EvWaiting }

// Kind implements Payload.
func (AcknowledgedPayload) Kind() EventKind { return EvAcknowledged }

// Kind implements Payload.
func (ShadowAckPayload) Kind() EventKind { return EvShadowAck }

// Kind implements Payload.
func (UnacknowledgedPayload) Kind() EventKind { return EvUnacknowledged }

// Kind implements Payload.
func (StillOnItPayload) Kind() EventKind { return EvStillOnIt }

// Kind implements Payload.
func (AckExpiredPayload) Kind() EventKind { return EvAckExpired }

// Kind implements Payload.
func (ResolvedPayload) Kind() EventKind { return EvResolved }

// Kind implements Payload.
func (ResolveUndonePayload) Kind() EventKind { return EvResolveUndone }

// Kind implements Payload.
func (EscalatedPayload) Kind() EventKind { return EvEscalated }

// Kind implements Payload.
func (PriorityPayload) Kind() EventKind { return EvPriority }

// Kind implements Payload.
func (NotePayload) Kind() EventKind { return EvNote }

// Kind implements Payload.
func (ChannelFailedPayload) Kind() EventKind { return EvChannelFailed }

// Kind implements Payload.
func (LeftPayload) Kind() EventKind { return EvLeft }

// Kind implements Payload.
func (TroublePayload) Kind() EventKind { return EvTrouble }
