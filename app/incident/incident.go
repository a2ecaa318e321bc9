// Package incident holds the state machine of incidents and of the alerts that
// they are made of: what a signal does to them (receive.go), what people do
// (command.go), what timers do (due.go), how urgent it is, and the timeline
// (timeline.go, payload.go). It decides; package store writes, and other packages
// act on what was written.
package incident

import "time"

// Status is how far an incident has been answered.
type Status string

// The statuses.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Resolved     Status = "resolved"
)

// Urgency decides whether a page may wait for support hours.
type Urgency string

// The urgencies.
const (
	High Urgency = "high"
	Low  Urgency = "low"
)

// Incident is what people respond to. Number is its identity.
type Incident struct {
	Number    int64 `gorm:"primaryKey"`
	Version   int64 // bumped by every write; live pages and caches go by it
	Title     string
	Status    Status
	Urgency   Urgency
	ServiceID int64
	// Deployment is the slug that the signal named, known or not.
	Deployment string
	DedupKey   string
	// Group is the key that its alerts share, empty for none. No two incidents of a
	// service and group are open at a time.
	Group string `gorm:"column:group_key"`
	// Priority is a level, 1 the most urgent, or catalog.NoPriority; nil while it is
	// unset. PrioritySource says where it came from: "signal", "slo", "error budget",
	// or an actor.
	Priority       *int
	PrioritySource string
	Severity       string // "critical", "error", "warning" or empty
	Occurrences    int64
	// Facts is the latest breach, for people: see package ingest.
	Facts Facts `gorm:"serializer:json"`

	CreatedAt      time.Time
	LastSeenAt     time.Time
	AcknowledgedAt *time.Time
	AcknowledgedBy string // an actor
	OwnerID        *int64 // the person who acknowledged, where it was one
	// AskedAt is when the owner was last asked whether they are still on it: by
	// a raise of priority or an expiry. An acknowledgment clears it.
	AskedAt    *time.Time
	ResolvedAt *time.Time
	ResolvedBy string
	Resolution string // what fixed it, in the resolver's words

	// ReopenedAt are the reopens of the last hour, oldest first.
	ReopenedAt []time.Time `gorm:"serializer:json"`
	// FlappingSince is set while the incident is flapping: see FlapReopens.
	FlappingSince *time.Time
	// MutedUntil is set while the incident is reopened and nobody is paged, because
	// the sender asked for quiet. After that, QuietPeriodDue pages if an alert
	// still fires.
	MutedUntil *time.Time
	// SnoozedUntil is set while an acknowledged incident is snoozed: then it is
	// triggered again.
	SnoozedUntil *time.Time
	// ChangedAt is when an alert last began or ended firing, which is what
	// the quiet period is counted from.
	ChangedAt time.Time
}

// Open reports whether somebody still has to do something.
func (i *Incident) Open() bool { return i.Status != Resolved }

// Alert is one condition that a sender reports. There is one for each service and
// dedup key; it is never deleted.
type Alert struct {
	ID        int64 `gorm:"primaryKey"`
	ServiceID int64
	DedupKey  string
	Title     string // by its last trigger; empty for those of earlier versions
	Firing    bool
	// StartedAt is the start of the present or the last firing: by the sender's
	// word where StartKnown, else when its first signal came in.
	StartedAt  time.Time
	StartKnown bool
	// Priority is the most urgent level that its signals gave since its incident
	// began, so that repeats do not undo what a person set in the meantime.
	Priority      *int
	FirstSeenAt   time.Time
	LastSeenAt    time.Time
	ResolvedAt    *time.Time
	Occurrences   int64
	IncidentNo    int64 `gorm:"column:incident_number"`
	IntegrationID int64
	// SnoozedUntil mutes reopens, never a first page or a raise.
	SnoozedUntil *time.Time
	// Body is the last raw body, as bytes.
	Body []byte
}

// Facts are what the latest signal said, as its sender wrote it.
type Facts struct {
	Sender   string `json:"sender,omitempty"`  // the integration's name
	Service  string `json:"service,omitempty"` // as the sender named it
	Endpoint string `json:"endpoint,omitempty"`
	SLI      string `json:"sli,omitempty"`
	SLOName  string `json:"slo_name,omitempty"`
	// SLA is set where what SLOName names is promised by a contract.
	SLA    bool   `json:"sla,omitempty"`
	Window string `json:"window,omitempty"`
	// Numbers are percentages, nil where the sender gave none.
	Objective       *float64   `json:"objective,omitempty"`
	Observed        *float64   `json:"observed,omitempty"`
	BrokenBy        *float64   `json:"broken_by_percent,omitempty"`
	BudgetRemaining *float64   `json:"budget_remaining,omitempty"`
	BudgetDepleted  *float64   `json:"budget_depleted,omitempty"`
	DepletionWindow string     `json:"depletion_window,omitempty"`
	BurnRate        *float64   `json:"burn_rate,omitempty"`
	StartedAt       *time.Time `json:"started_at,omitempty"`
	// PausedUntil is when the sender evaluates again, by its own word.
	PausedUntil  *time.Time   `json:"paused_until,omitempty"`
	Environment  []Pair       `json:"environment,omitempty"`
	Dependencies []Dependency `json:"dependencies,omitempty"`
	Links        []Link       `json:"links,omitempty"`

	// Severity is the sender's word, the worst since the incident opened: see
	// WorseSeverity. It is not the incident's own severity.
	Severity string `json:"severity,omitempty"`
	// MayWait is set while the sender lets all that it told of wait: see Event.Low.
	MayWait     bool   `json:"may_wait,omitempty"`
	Description string `json:"description,omitempty"` // the sender's text, over several lines
	Labels      []Pair `json:"labels,omitempty"`
	Annotations []Pair `json:"annotations,omitempty"`
	Details     []Pair `json:"details,omitempty"` // any others that the sender names so
	Runbook     string `json:"runbook,omitempty"` // an http(s) address
	Source      string `json:"source,omitempty"`  // the host or tool that is affected
	Component   string `json:"component,omitempty"`
	Class       string `json:"class,omitempty"`
	Client      *Link  `json:"client,omitempty"` // the monitoring tool; Href may be empty
	Images      []Link `json:"images,omitempty"` // Href is the address of the image
	// ExhaustionAt is when the error budget will be spent, by the sender's word.
	ExhaustionAt *time.Time `json:"exhaustion_at,omitempty"`
	// Truncated counts the alerts that the sender left out of its request.
	Truncated int64 `json:"truncated,omitempty"`

	// Unknown are the fields that nobody here knows, as JSON text.
	Unknown []Pair `json:"unknown,omitempty"`
}

// Pair is a name and its value as text.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Dependency is what a breach said of a service that its own depends on.
type Dependency struct {
	Service         string   `json:"service"`
	Availability    *float64 `json:"availability,omitempty"`
	BudgetRemaining *float64 `json:"error_budget_remaining_percent,omitempty"`
}

// Link is a titled address that the sender gave.
type Link struct {
	Text string `json:"text"`
	Href string `json:"href"`
}

// Action is what a signal asks for.
type Action string

// The actions of a signal.
const (
	Trigger Action = "trigger"
	// AcknowledgeAlert acknowledges the alert's incident in the name of the sender.
	AcknowledgeAlert Action = "acknowledge"
	Resolve          Action = "resolve"
)

// Event is a decoded signal, the same for every wire format.
type Event struct {
	Action   Action
	DedupKey string
	// Group is the key of a group within the service, empty for none: alerts that
	// fire under it share one open incident.
	Group       string
	Title       string
	ServiceName string // as the sender named it
	Deployment  string
	// Priority is what was chosen for it: see ChoosePriority.
	Priority       *int
	PrioritySource string
	// StartedAt is the sender's word, zero where it gave none.
	StartedAt time.Time
	Snooze    time.Duration
	// Severity is the sender's: "critical", "error", "warning", "info" or empty.
	// It never sets the incident's own.
	Severity string
	// Low says that the sender lets it wait for support hours.
	Low      bool
	Facts    Facts
	Warnings []string
	Body     []byte
}
