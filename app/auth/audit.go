package auth

import "time"

// Entry is one entry of the audit log, which is append-only.
type Entry struct {
	ID    int64 `gorm:"primaryKey"`
	At    time.Time
	Actor string // as Actor.String writes it
	// Action is a kind of thing and a verb: "user.create".
	Action string
	// Subject is the thing: "user:ana@example.com".
	Subject string
	// Detail says what changed, without secrets.
	Detail map[string]any `gorm:"serializer:json"`
}

// TableName is the table of entries.
func (Entry) TableName() string { return "audit_log" }

// AuditQuery asks for a page of the audit log, newest first.
type AuditQuery struct {
	// Before is the ID of the last entry of the page before, or 0.
	Before int64
	// Limit is how many entries are wanted: 1 to 200, else 50.
	Limit int
	// Subject and Actor narrow where they are not empty.
	Subject string
	Actor   string
}
