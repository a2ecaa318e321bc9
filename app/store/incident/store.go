// Package incident keeps alerts, incidents and the signals that they come from,
// and reads them for pages. The effects of a change on escalations and pages are
// written by package paging in the same transaction.
package incident

import (
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/organization"
)

// Store reads and writes incidents.
type Store struct {
	db            *db.DB
	configuration *organization.Store
}

// New makes a Store on an open database.
func New(d *db.DB, configuration *organization.Store) *Store {
	return &Store{db: d, configuration: configuration}
}
