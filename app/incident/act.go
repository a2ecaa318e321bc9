package incident

// Act is something that can be done to an incident. Each kind has its own file,
// named act_….go.
type Act interface {
	// validate refuses what is invalid whatever the incident's state.
	validate() error
	// decide is what the act does to an incident. An outcome that is not Done
	// comes with a Change that changes nothing, but that of a shadow's first
	// acknowledgment. Fault: Invalid.
	decide(inc Incident, k Known, by By) (Change, Outcome, error)
}

// ActKind is a kind of act as pages and the API offer it: as a POST to
// …/incidents/{number}/{name}. Replies by SMS and links offer a few acts in ways
// of their own.
type ActKind struct {
	// Name is unique, and the last segment of the address.
	Name string
	// Web and API say where it is offered: as a form of the pages, by the API.
	Web, API bool
	// Fields are the names of all fields that the act takes; the API refuses others.
	Fields []string
	// Read makes the act from the fields that were sent. It reads every one of
	// Fields, whatever the others say, so that each of the wrong type is reported.
	// Fault: Invalid.
	Read func(f Fields) (Act, error)
}

// ActKinds are all that pages or the API offer.
var ActKinds = []ActKind{
	acknowledge, undoAcknowledge, unacknowledge, resolve, undoResolve, reopen, setPriority, escalate, note,
	addResponders, decline, handOver, takeOver, snooze,
}

// Fields are the fields that were sent with an act, by name: members of a JSON
// object, or those of a form. A value of the wrong type reads as if it was
// missing; whoever made the Fields refuses the request for it.
type Fields interface {
	// Given reports whether a field was sent, even if it is empty or null.
	Given(name string) bool
	// Text is empty where the field is missing.
	Text(name string) string
	// Level is the level of a priority; nil for none, and where the field is
	// missing.
	Level(name string) *int
	// Flag is false where the field is missing.
	Flag(name string) bool
	// Targets are the people, teams or schedules that a field names, which is one of
	// TargetKinds or "user". A name that is unknown, or of somebody who cannot be
	// paged, is left out; whoever made the Fields refuses the request for it.
	Targets(name string) []NamedTarget
}

// withoutFields reads an act that takes no fields.
func withoutFields(act Act) func(Fields) (Act, error) {
	return func(Fields) (Act, error) { return act, nil }
}
