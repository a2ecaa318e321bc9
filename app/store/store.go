// Package store is what the program keeps, in slices by subject over the kernel
// store/db: timeline, paging, access, organization and incident, each of which
// may import those before it. Only these packages know SQL. They implement the
// small interfaces that the domain packages declare. Ordinary reads and writes go
// through gorm; the hot paths (ingest, claims) are plain SQL, in one file each.
package store

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/incident"
	"github.com/tocsin-oncall/tocsin/app/store/organization"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// Options say how to open a database.
type Options = db.Options

// Store is an open database with all slices over it.
type Store struct {
	*db.DB
	Paging       *paging.Store
	Access       *access.Store
	Organization *organization.Store
	Incidents    *incident.Store
}

// Open connects to a database: see db.Open.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	d, err := db.Open(ctx, address, o)
	if err != nil {
		return nil, err
	}
	s := &Store{DB: d, Paging: paging.New(d), Access: access.New(d), Organization: organization.New(d)}
	s.Incidents = incident.New(d, s.Organization)
	return s, nil
}

// The slices, by names that can stand in one struct.
type (
	accessStore       = access.Store
	incidentStore     = incident.Store
	organizationStore = organization.Store
	pagingStore       = paging.Store
)

// IncidentReads reads incidents and who was paged for them.
type IncidentReads struct {
	*incidentStore
	*pagingStore
}

// IncidentReads reads incidents and who was paged for them.
func (s *Store) IncidentReads() IncidentReads { return IncidentReads{s.Incidents, s.Paging} }

// Listing reads the configuration and its version.
type Listing struct {
	*db.DB
	*organizationStore
}

// Listing reads the configuration and its version.
func (s *Store) Listing() Listing { return Listing{s.DB, s.Organization} }

// Replies reads who wrote and what they can mean.
type Replies struct {
	*accessStore
	*incidentStore
}

// Replies reads who wrote and what they can mean.
func (s *Store) Replies() Replies { return Replies{s.Access, s.Incidents} }

// Signals reads what integrations sent, and opens their keys.
type Signals struct {
	*incidentStore
	*organizationStore
}

// Signals reads what integrations sent, and opens their keys.
func (s *Store) Signals() Signals { return Signals{s.Incidents, s.Organization} }
