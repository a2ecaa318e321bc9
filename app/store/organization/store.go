// Package organization keeps what the organisation configures: teams, services,
// schedules, escalation policies, integrations and their versions.
package organization

import (
	"sync/atomic"

	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Store reads and writes the configuration.
type Store struct {
	db     *db.DB
	routes atomic.Pointer[organization.Routes]
}

// New makes a Store on an open database.
func New(d *db.DB) *Store { return &Store{db: d} }
