// Package store is what the program keeps, in slices by subject over the kernel
// store/db: timeline, paging, access, organization, incident and effect, each of which
// may import those before it. Only these packages know SQL. They implement the
// small interfaces that the domain packages declare. Ordinary reads and writes go
// through gorm. Plain SQL are the hot paths (ingest, firing, planning, claims, results,
// the cursors of consumers), in one file each, and what locks rows in an order, goes
// by a lease, or takes lists of any length as one parameter.
package store

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/effect"
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
	Effects      *effect.Store
}

// Open connects to a database: see db.Open.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	d, err := db.Open(ctx, address, o)
	if err != nil {
		return nil, err
	}
	s := &Store{DB: d, Paging: paging.New(d), Access: access.New(d), Organization: organization.New(d), Effects: effect.New(d)}
	s.Incidents = incident.New(d, s.Organization)
	return s, nil
}

// The slices, by names that can stand in one struct.
type (
	accessStore       = access.Store
	effectStore       = effect.Store
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

// Chat reads what posts to chat channels are about, and queues them.
type Chat struct {
	*effectStore
	*pagingStore
}

// Chat reads what posts to chat channels are about, and queues them.
func (s *Store) Chat() Chat { return Chat{s.Effects, s.Paging} }

// NextDue is the earliest instant at which something becomes due; ok is false
// where nothing ever will. Of timers and consumers those count that are named.
func (s *Store) NextDue(ctx context.Context, timers, consumers []string) (at time.Time, ok bool, err error) {
	at, ok, err = s.Paging.NextDue(ctx)
	if err != nil {
		return at, ok, err
	}
	later, found, err := s.Effects.NextDue(ctx, timers, consumers)
	if found && (!ok || later.Before(at)) {
		at, ok = later, true
	}
	return at, ok, err
}
