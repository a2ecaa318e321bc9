// Package paging keeps escalations, pages, messages and their attempts, and the
// timers that they need. It alone inserts messages.
package paging

import (
	"context"
	"sync"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Store reads and writes escalations, pages and messages.
type Store struct {
	db *db.DB

	// planning serializes this process's firing and planning: firing does not wait
	// for the planner's lock, and would often find it taken by its own process.
	planning   sync.Mutex
	planAtOnce func(context.Context, time.Time, int64, []notify.DuePage, map[int64]notify.Recent) (notify.Plan, error)
}

// New makes a Store on an open database.
func New(d *db.DB) *Store { return &Store{db: d} }
