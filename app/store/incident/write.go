package incident

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// writeIncidents writes incidents, their timeline, and the effects on escalations
// and pages. Every change of an incident is written here, so that races have one
// outcome. Other effects of incidents are consumers of the timeline.
func (s *Store) writeIncidents(ctx context.Context, tx *db.Tx, routes *organization.Routes, now time.Time, states []*paging.IncidentState, events []incident.TimelineEvent) error {
	var fresh, known []*paging.IncidentState
	var changes []db.Change
	for _, state := range states {
		state.Inc.Version++
		addRoute(state, routes, now)
		changes = append(changes, db.Change{Number: state.Inc.Number, Version: state.Inc.Version})
		if state.IsNew {
			fresh = append(fresh, state)
		} else {
			known = append(known, state)
		}
	}
	// The unique index incidents_group needs an incident of a group to be closed
	// before another one of the group opens.
	others, reopening := reopeningInGroups(known)
	if err := updateIncidents(ctx, tx, others); err != nil {
		return err
	}
	if err := updateIncidents(ctx, tx, reopening); err != nil {
		return err
	}
	if err := insertIncidents(ctx, tx, fresh); err != nil {
		return err
	}
	if err := timeline.Insert(ctx, tx, events); err != nil {
		return err
	}
	work, err := paging.Escalate(ctx, tx, now, states)
	if err != nil {
		return err
	}
	for _, state := range states {
		asked, err := paging.ChangeRequests(ctx, tx, now, state)
		if err != nil {
			return err
		}
		work |= asked
		for _, t := range state.Timers {
			if err := paging.SetTimer(ctx, tx, t.Kind, state.Inc.Number, t.Due); err != nil {
				return err
			}
		}
		if state.AskOwner && state.Inc.Status == incident.Acknowledged {
			work |= db.ToPlan
			if err := paging.AskOwner(ctx, tx, now, state); err != nil {
				return err
			}
		}
	}
	return tx.Publish(ctx, db.Wakeup{Work: work, Changes: changes})
}

// addRoute sets the policy and the support hours of an incident's service.
func addRoute(s *paging.IncidentState, routes *organization.Routes, now time.Time) {
	r := routes.ByService[s.Inc.ServiceID]
	if s.PolicyVersion == nil {
		s.PolicyVersion = r.PolicyVersionAt(now)
	}
	s.Opens = now
	if r.Hours != nil {
		s.Opens = r.Hours.NextOpen(now, routes.Zone)
	}
}
