// Package catalog knows what may break and who owns it: the organisation,
// teams, deployments, services and their SLOs, and the integrations through
// which signals come in.
package catalog

import (
	"time"
)

// Organization is the one organisation of an installation.
type Organization struct {
	ID       int64 `gorm:"primaryKey"`
	Name     string
	Timezone string // IANA zone; the default wherever a zone is not stated
	// SupportHours are the default for teams without their own; nil means that
	// low urgency pages at once.
	SupportHours *Hours `gorm:"serializer:json"`
	// CatchAllServiceID takes signals for a service that nobody knows, from
	// keys that are bound to no service. Nil refuses them.
	CatchAllServiceID *int64
	// ConfigVersion is bumped by every change of configuration, in the same
	// transaction; whoever keeps a copy compares it.
	ConfigVersion int64
	// PeopleVersion is bumped instead by changes of contact methods, personal rules
	// and passwords, which no signal goes by.
	PeopleVersion int64
}

// TableName is the table of the single row.
func (Organization) TableName() string { return "organization" }

// Team owns services and answers for them.
type Team struct {
	ID           int64 `gorm:"primaryKey"`
	Slug         string
	Name         string
	ManagerID    *int64
	SlackChannel string // "#name" or a channel ID; empty where the team has none
	SupportHours *Hours `gorm:"serializer:json"`
}

// TeamMember is one person's membership.
type TeamMember struct {
	TeamID int64 `gorm:"primaryKey"`
	UserID int64 `gorm:"primaryKey"`
}

// Deployment is an environment that services run in, such as prod-eu.
type Deployment struct {
	ID     int64 `gorm:"primaryKey"`
	Slug   string
	Name   string
	Region string
	// Kind is "production" or anything else; incidents in what is not
	// production are of low urgency.
	Kind string
}

// Production is the kind of deployment that pages with high urgency.
const Production = "production"

// Link is a titled address.
type Link struct {
	Text string `json:"text"`
	Href string `json:"href"`
}

// Service is what a team runs and customers use. Services form a hierarchy.
type Service struct {
	ID          int64 `gorm:"primaryKey"`
	Slug        string
	Name        string
	Description string
	ParentID    *int64
	TeamID      *int64
	PolicyID    *int64
	// Runbook is a slug or an address.
	Runbook    string
	Dashboards []Link `gorm:"serializer:json"`
	// ReopenWindow is how long after a resolve a new trigger reopens the same
	// incident instead of opening another, in seconds.
	ReopenWindow int64
	// ArchivedAt is nil but for a service that was removed and is kept for its
	// incidents.
	ArchivedAt *time.Time
}

// DefaultReopenWindow serves services that set none.
const DefaultReopenWindow = 5 * time.Minute

// ServiceDeployment says that a service runs, or will run, in a deployment.
type ServiceDeployment struct {
	ServiceID    int64 `gorm:"primaryKey"`
	DeploymentID int64 `gorm:"primaryKey"`
}

// NoPriority stands in place of a level for the decision that an incident has no
// priority. Where nobody has decided, the priority is unset, which is nil.
const NoPriority = 0

// NoPriorityName is what people call NoPriority.
const NoPriorityName = "No priority"

// Priority says what must be done about an incident. There are at most five
// levels, 1 being the most urgent.
type Priority struct {
	Level              int `gorm:"primaryKey;autoIncrement:false"`
	Name               string
	Hotfix             bool
	Postmortem         bool
	NotifyManagement   bool
	NotifyStakeholders bool
	StatusUpdateEvery  int64 // seconds; 0 for none
	// AckExpires is after how many seconds an acknowledgment is asked for
	// again; 0, the default, for never.
	AckExpires int64
	Criteria   map[string]string `gorm:"serializer:json"`
}

// Integration is a key that signals come in by.
type Integration struct {
	ID   int64 `gorm:"primaryKey"`
	Slug string
	Name string
	Kind string // "slo"
	// ServiceID is the service that the key belongs to; nil takes the service
	// from the signal's body.
	ServiceID *int64
	// KeyHMAC finds the integration by its key; KeySealed is the key itself,
	// encrypted, so that it can be shown again and exported.
	KeyHMAC   []byte `gorm:"column:key_hmac"`
	KeySealed []byte
	// Dedup is an expression over a signal that makes its dedup key, as in package
	// rule; empty leaves that to the sender, or to the default.
	Dedup string
	// RateLimit is how many signals a minute the key may send; 0 for no limit.
	RateLimit int
	CreatedAt time.Time
}

// KindSLO is the native wire format: an SLO breach.
const KindSLO = "slo"

// Kinds are the kinds of integration, sorted: the wire formats that are registered
// with the server. They stand here since a configuration is checked without it.
var Kinds = []string{"alertmanager", "pagerduty", KindSLO}

// Hours are recurring hours of work in a zone.
type Hours struct {
	Timezone string   `json:"timezone,omitempty"`
	Days     []string `json:"days"` // mon, tue, …
	From     string   `json:"from"` // "09:00"
	To       string   `json:"to"`   // "17:00", "24:00"; equal to From for the whole day
}
