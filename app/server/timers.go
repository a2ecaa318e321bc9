package server

import (
	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// newTimers registers the handler of each kind of timer.
func (s *Server) newTimers() *effect.Timers {
	t := &effect.Timers{Store: s.DB.Effects, Now: s.DB.Now, Log: s.log}
	t.Register(incident.TimerQuietPeriod, s.Incidents.QuietPeriodDue)
	t.Register(incident.TimerFiring, s.Incidents.FiringDue)
	t.Register(incident.TimerAck, s.Incidents.AckDue)
	t.Register(paging.TimerPassOver, s.DB.Paging.PassOver)
	return t
}
