package incident

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// ChangeIncident implements incident.Store.
func (s *Store) ChangeIncident(ctx context.Context, number int64, by incident.By, decide func(incident.Incident, incident.Known) (incident.Change, error)) (incident.Incident, error) {
	return db.Returning(ctx, s.db, func(tx *db.Tx) (incident.Incident, error) {
		// Alerts come before incidents in the order of locks.
		firing, err := lockAlertsOf(ctx, tx, number)
		if err != nil {
			return incident.Incident{}, err
		}
		found, err := lockIncidents(ctx, tx, []int64{number})
		if err != nil {
			return incident.Incident{}, err
		}
		if len(found) == 0 {
			return incident.Incident{}, fault.NotFound("There is no incident with number %d.", number)
		}
		if joined, err := joinedMeanwhile(ctx, tx, number, firing); err != nil {
			return incident.Incident{}, err
		} else if joined {
			return incident.Incident{}, db.ErrRaced
		}
		known, err := known(tx.Gorm, found[0], by)
		if err != nil {
			return incident.Incident{}, err
		}
		known.Firing = len(firing)
		if err := knownPaging(ctx, tx, found[0], &known); err != nil {
			return incident.Incident{}, err
		}
		change, err := decide(found[0], known)
		if err != nil {
			return incident.Incident{}, err
		}
		return s.carryOut(ctx, tx, found[0], change, by, firing)
	})
}

func (s *Store) carryOut(ctx context.Context, tx *db.Tx, before incident.Incident, c incident.Change, by incident.By, firing []int64) (incident.Incident, error) {
	now := tx.DB.Now()
	for _, t := range c.Timers {
		if err := paging.SetTimer(ctx, tx, t.Kind, before.Number, t.Due); err != nil {
			return before, err
		}
	}
	if !c.Changed {
		return before, nil
	}
	if c.EndAlerts && len(firing) > 0 {
		// Plain SQL: there may be more of them than a statement has parameters.
		where, args := tx.DB.In("id", 2, firing)
		if _, err := tx.ExecContext(ctx, "UPDATE alerts SET firing = false, resolved_at = $1 WHERE "+where, append([]any{c.Incident.ResolvedAt}, args...)...); err != nil {
			return before, fmt.Errorf("resolve alerts: %w", err)
		}
	}
	if c.ReviveAlerts != nil {
		if err := reopenAlerts(tx.Gorm, before.Number, *c.ReviveAlerts); err != nil {
			return before, err
		}
	}
	routes, err := s.configuration.Routes(ctx, tx)
	if err != nil {
		return before, err
	}
	state := &paging.IncidentState{
		Inc: c.Incident, WasResolved: !before.Open(), Changed: true, Escalate: c.Escalate, AskOwner: c.AskOwner, AskKind: "still_on_it",
		Requests: c.Requests, EndRequests: c.EndRequests, DeclineRequests: c.DeclineRequests,
	}
	if by.UserID != nil {
		state.By = *by.UserID
	}
	for i := range c.Timeline {
		c.Timeline[i].IncidentNo = before.Number
	}
	if err := s.writeIncidents(ctx, tx, routes, now, []*paging.IncidentState{state}, c.Timeline); err != nil {
		return before, err
	}
	return state.Inc, nil
}

// bytewise sorts dedup keys as the writers of signals do, whatever the database's
// collation: all must lock alerts in one order.
func bytewise(tx *db.Tx) string {
	if tx.DB.Dialect == db.Postgres {
		return ` COLLATE "C"`
	}
	return ""
}

// joinedMeanwhile reports whether an alert of the incident fires that was not among
// those locked before the incident: a batch may have added it in between.
func joinedMeanwhile(ctx context.Context, tx *db.Tx, number int64, firing []int64) (bool, error) {
	now, err := tx.Ints(ctx, "SELECT id FROM alerts WHERE incident_number = $1 AND firing", number)
	if err != nil {
		return false, fmt.Errorf("read what fires: %w", err)
	}
	return slices.ContainsFunc(now, func(id int64) bool { return !slices.Contains(firing, id) }), nil
}

// lockAlertsOf locks an incident's alerts and returns those that fire.
func lockAlertsOf(ctx context.Context, tx *db.Tx, number int64) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, firing FROM alerts WHERE incident_number = $1 ORDER BY service_id, dedup_key"+bytewise(tx)+tx.DB.ForUpdate(false), number)
	if err != nil {
		return nil, fmt.Errorf("lock alerts: %w", err)
	}
	defer rows.Close()
	var firing []int64
	for rows.Next() {
		var id int64
		var fires bool
		if err := rows.Scan(&id, &fires); err != nil {
			return nil, fmt.Errorf("lock alerts: %w", err)
		}
		if fires {
			firing = append(firing, id)
		}
	}
	return firing, rows.Err()
}

// known reads what the decision about a command needs besides the incident.
func known(g *gorm.DB, inc incident.Incident, by incident.By) (incident.Known, error) {
	var k incident.Known
	if err := g.Omit("criteria").Order("level").Find(&k.Levels).Error; err != nil {
		return k, fmt.Errorf("read priorities: %w", err)
	}
	var deployments []catalog.Deployment
	if err := g.Where("slug = ?", inc.Deployment).Find(&deployments).Error; err != nil {
		return k, fmt.Errorf("read deployments: %w", err)
	}
	if len(deployments) > 0 {
		k.DeploymentKnown, k.Production = true, deployments[0].Kind == catalog.Production
	}
	if by.UserID != nil {
		var pages struct{ Shadows, Others int }
		err := g.Table("pages").Select("count(CASE WHEN shadow THEN 1 END) AS shadows, count(CASE WHEN NOT shadow THEN 1 END) AS others").
			Where("incident_number = ? AND user_id = ? AND "+paging.Answerable, inc.Number, *by.UserID).Scan(&pages).Error
		if err != nil {
			return k, fmt.Errorf("read answerable pages: %w", err)
		}
		k.Shadow = pages.Shadows > 0 && pages.Others == 0
	}
	if inc.FlappingSince != nil || inc.MutedUntil != nil {
		var active int64
		err := g.Table("escalations").Where("incident_number = ? AND purpose = ? AND state = ?", inc.Number, escalation.Primary, paging.Active).Count(&active).Error
		if err != nil {
			return k, fmt.Errorf("count active escalations: %w", err)
		}
		k.Escalating = active > 0
	}
	if inc.Status == incident.Resolved {
		if err := knownResolve(g, inc.Number, &k.Ended); err != nil {
			return k, err
		}
		var err error
		if k.GroupOpen, err = openOfGroup(g, inc); err != nil {
			return k, err
		}
	}
	return k, knownEvents(g, inc.Number, by, &k)
}

// knownEvents reads earlier actions of people from the timeline. Served by
// timeline_events_incident.
func knownEvents(g *gorm.DB, number int64, by incident.By, k *incident.Known) error {
	var last struct {
		At   time.Time
		Name string
	}
	found := g.Table("timeline_events AS e").Select("e.at, COALESCE(u.name, e.actor) AS name").Joins("LEFT JOIN users u ON u.email = e.actor").
		Where("e.incident_number = ? AND e.kind = ?", number, incident.EvEscalated).Order("e.id DESC").Limit(1).Scan(&last)
	if err := found.Error; err != nil {
		return fmt.Errorf("read the last escalation: %w", err)
	}
	if found.RowsAffected > 0 {
		k.LastEscalatedAt, k.LastEscalatedBy = &last.At, last.Name
	}
	if !k.Shadow {
		return nil
	}
	var answers int64
	reopened := g.Model(&eventRow{}).Select("COALESCE(max(id), 0)").Where("incident_number = ? AND kind = ?", number, incident.EvReopened)
	err := g.Model(&eventRow{}).Where("incident_number = ? AND kind = ? AND actor = ? AND id > (?)", number, incident.EvShadowAck, by.Actor, reopened).Count(&answers).Error
	if err != nil {
		return fmt.Errorf("read a shadow's answers: %w", err)
	}
	k.ShadowAcked = answers > 0
	return nil
}
