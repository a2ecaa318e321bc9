// Package effect keeps the consumers of the timeline with their cursors and
// leases, reads the timeline for them, and leases timers.
//
// None of its commits waits for the disk. After a crash of the machine a cursor
// may be older than what was done, and events come again.
package effect

import (
	"sync/atomic"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Store keeps consumers and timers.
type Store struct {
	db *db.DB
	// summarized is the id up to which timeline_events_id was last brought up to
	// date by this process.
	summarized atomic.Int64
}

// New makes a Store on an open database.
func New(d *db.DB) *Store { return &Store{db: d} }
