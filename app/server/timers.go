package server

import (
	"context"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// newTimers registers the handler of each kind of timer.
func (s *Server) newTimers() *effect.Timers {
	t := &effect.Timers{Store: s.DB.Effects, Now: s.DB.Now, Log: s.log}
	t.Register(incident.TimerQuietPeriod, s.Incidents.QuietPeriodDue)
	t.Register(incident.TimerFiring, s.Incidents.FiringDue)
	t.Register(incident.TimerAck, s.Incidents.AckDue)
	t.Register(incident.TimerSnooze, s.Incidents.SnoozeDue)
	t.Register(paging.TimerPassOver, s.DB.Paging.PassOver)
	outages := &notify.Outages{Store: s.DB.Paging, People: s.Organization, Administrators: s.administrators, Works: s.outbox.Works, Now: s.DB.Now}
	t.Register(paging.TimerOutage, func(ctx context.Context, _ int64) error { return outages.Tell(ctx) })
	return t
}

// administrators are the ids of those who are active, in their order.
func (s *Server) administrators(ctx context.Context) ([]int64, error) {
	roster, err := s.Organization.Roster(ctx, 0)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for id, p := range roster.People {
		if p.Role == string(auth.Administrator) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
