package ingest

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// RecordedChange is a stored change of a service.
type RecordedChange struct {
	ID            int64 `gorm:"primaryKey"`
	ServiceID     int64
	IntegrationID int64
	Summary       string
	Source        string // may be empty
	// At is when it took place according to the sender, else when it was received; both
	// are in UTC and whole microseconds.
	At         time.Time
	Links      []incident.Link `gorm:"serializer:json"`
	Details    []incident.Pair `gorm:"serializer:json"`
	ReceivedAt time.Time
}

// TableName implements gorm's Tabler.
func (RecordedChange) TableName() string { return "changes" }

// Changes stores the changes of services.
type Changes interface {
	// RecordChanges writes changes, durably before it returns. One that the
	// integration has recorded before, with the same summary, source and time, is
	// not written again.
	RecordChanges(ctx context.Context, changes []RecordedChange) error
}

// resolveChange finds the service of a change. A time that lies more than
// maxAhead after the receipt is not used. Faults are those of Resolve.
func resolveChange(snapshot *catalog.Snapshot, integration catalog.Integration, format *Format, ev *Event, at time.Time) (c RecordedChange, warnings []string, err error) {
	service, warning, err := serviceOf(snapshot, integration, format, ev.ServiceName)
	if err != nil {
		return RecordedChange{}, nil, err
	}
	warnings = append(warnings, ev.Warnings...)
	if warning != "" {
		warnings = append(warnings, warning)
	}
	c = RecordedChange{
		ServiceID: service.ID, IntegrationID: integration.ID, Summary: ev.Change.Summary, Source: ev.Change.Source,
		At: ev.Change.At, Links: ev.Change.Links, Details: ev.Change.Details, ReceivedAt: at,
	}
	if c.At.IsZero() || c.At.After(at.Add(maxAhead)) {
		c.At = at
	}
	return c, warnings, nil
}
