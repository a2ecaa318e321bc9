// Package access keeps users, contact methods, sessions, links, tokens, idempotency
// keys and the audit log.
package access

import "github.com/tocsin-oncall/tocsin/app/store/db"

// Store reads and writes people and their access.
type Store struct{ db *db.DB }

// New makes a Store on an open database.
func New(d *db.DB) *Store { return &Store{db: d} }
