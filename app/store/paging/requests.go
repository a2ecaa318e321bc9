package paging

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// requestText is a request as it is stored; empty for none.
func requestText(r *incident.Request) string {
	if r == nil {
		return ""
	}
	return db.AsJSON(r)
}

// readRequest reads what requestText wrote; nil for none, and for what is damaged: its
// escalation pages the administrators.
func readRequest(text string) *incident.Request {
	var r incident.Request
	if text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return nil
	}
	return &r
}

// ActiveRequests are the requests of an incident that wait for an answer, oldest first.
// Served by escalations_incident and pages_incident.
func ActiveRequests(ctx context.Context, tx *db.Tx, number int64) ([]incident.ActiveRequest, error) {
	rows, err := tx.QueryContext(ctx, `SELECT e.id, e.request, COALESCE(p.user_id, 0), COALESCE(p.state, '')
		FROM escalations e LEFT JOIN pages p ON p.incident_number = e.incident_number AND p.escalation_id = e.id AND NOT p.shadow AND p.`+Answerable+`
		WHERE e.incident_number = $1 AND e.state = '`+Active+`' AND e.request <> '' ORDER BY e.id, p.id`, number)
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	defer rows.Close()
	var all []incident.ActiveRequest
	for rows.Next() {
		var id, user int64
		var text, state string
		if err := rows.Scan(&id, &text, &user, &state); err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		request := readRequest(text)
		if request == nil {
			continue
		}
		if len(all) == 0 || all[len(all)-1].ID != id {
			all = append(all, incident.ActiveRequest{ID: id, Request: *request})
		}
		r := &all[len(all)-1]
		if user != 0 && !slices.Contains(r.Declined, user) {
			r.Asked = append(r.Asked, user)
			if state == Active {
				r.Waiting = append(r.Waiting, user)
			}
		}
	}
	return all, rows.Err()
}

// NextSteps are the steps that follow in the policy of an incident's latest primary
// escalation, and its fallback last. There are none where it is past its steps, or goes
// by a request.
func NextSteps(ctx context.Context, tx *db.Tx, number int64) ([]incident.NextStep, error) {
	rows, err := tx.QueryContext(ctx, `SELECT e.phase, e.step, e.fired_at IS NOT NULL, v.definition FROM escalations e JOIN policy_versions v ON v.id = e.policy_version_id
		WHERE e.id = (SELECT max(l.id) FROM escalations l WHERE l.purpose = '`+string(escalation.Primary)+`' AND l.incident_number = $1)`, number)
	if err != nil {
		return nil, fmt.Errorf("read the policy of an incident: %w", err)
	}
	defer rows.Close()
	var next []incident.NextStep
	for rows.Next() {
		var phase escalation.Phase
		var step int
		var fired bool
		var definition string
		if err := rows.Scan(&phase, &step, &fired, &definition); err != nil {
			return nil, fmt.Errorf("read the policy of an incident: %w", err)
		}
		var p escalation.Policy
		if json.Unmarshal([]byte(definition), &p) != nil {
			continue // the engine reports a damaged policy
		}
		next = p.Following(escalation.State{Phase: phase, Step: step}, fired)
	}
	return next, rows.Err()
}

// keepRequests has an incident that was opened by paging somebody page them again where
// its escalation starts anew.
func keepRequests(ctx context.Context, tx *db.Tx, starting []*IncidentState) error {
	for _, s := range starting {
		if s.IsNew || s.Request != nil || !strings.HasPrefix(s.Inc.DedupKey, incident.ManualKey) {
			continue
		}
		var text string
		err := tx.QueryRowContext(ctx, "SELECT request FROM escalations WHERE incident_number = $1 AND purpose = '"+string(escalation.Primary)+"' ORDER BY id DESC LIMIT 1", s.Inc.Number).Scan(&text)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read the request of an incident: %w", err)
		}
		if s.Request = readRequest(text); s.Request != nil {
			s.Request.Declined = nil
		}
	}
	return nil
}

// ChangeRequests ends, moves and starts the requests of an incident, in this order. It
// locks escalations before pages, and those that Escalate has locked again.
func ChangeRequests(ctx context.Context, tx *db.Tx, now time.Time, s *IncidentState) (db.Work, error) {
	work := db.Work(0)
	for _, e := range s.EndRequests {
		if err := endRequest(ctx, tx, now, s.Inc.Number, e); err != nil {
			return 0, err
		}
	}
	for _, d := range s.DeclineRequests {
		if err := declineRequest(ctx, tx, now, s.Inc.Number, d); err != nil {
			return 0, err
		}
		work |= db.ToEscalate
	}
	if len(s.Requests) == 0 {
		return work, nil
	}
	requests := s.Requests
	err := tx.InsertRows(ctx, "escalations", len(requests), "",
		db.ColOf("incident_number", "bigint", requests, func(*incident.Request) int64 { return s.Inc.Number }),
		db.ColOf("purpose", "text", requests, func(*incident.Request) string { return string(escalation.Responder) }),
		db.ColOf("subject", "text", requests, func(*incident.Request) string { return "" }),
		db.ColOf("request", "text", requests, func(r *incident.Request) string { return requestText(r) }),
		db.ColOf("state", "text", requests, func(*incident.Request) string { return Active }),
		db.ColOf("phase", "text", requests, func(*incident.Request) string { return string(escalation.PhaseSteps) }),
		db.ColOf("step", "int", requests, func(*incident.Request) int { return 0 }),
		db.ColOf("run", "int", requests, func(*incident.Request) int { return 0 }),
		db.ColOf("reached", "bool", requests, func(*incident.Request) bool { return false }),
		db.ColOf("next_action_at", "timestamptz", requests, func(*incident.Request) *time.Time { return &now }),
		db.ColOf("started_at", "timestamptz", requests, func(*incident.Request) time.Time { return now }))
	if err != nil {
		return 0, fmt.Errorf("start requests: %w", err)
	}
	return work | db.ToEscalate, nil
}

func endRequest(ctx context.Context, tx *db.Tx, now time.Time, number int64, e incident.RequestEnd) error {
	ended, err := tx.Ints(ctx, "UPDATE escalations SET state = '"+Stopped+"', outcome = $1, next_action_at = NULL, ended_at = $2 WHERE id = $3 AND state = '"+Active+"' RETURNING id",
		string(e.Outcome), now, e.ID)
	if err != nil {
		return fmt.Errorf("end a request: %w", err)
	}
	return withdrawPages(ctx, tx, now, []int64{number}, ended)
}

// declineRequest takes a person out of a request, and has the engine go on with it at
// once where nobody else of its step is asked.
func declineRequest(ctx context.Context, tx *db.Tx, now time.Time, number int64, d incident.RequestDecline) error {
	var text string
	if err := tx.QueryRowContext(ctx, "SELECT request FROM escalations WHERE id = $1"+tx.DB.ForUpdate(false), d.ID).Scan(&text); err != nil {
		return fmt.Errorf("lock a request: %w", err)
	}
	request := readRequest(text)
	if request == nil {
		return nil
	}
	request.Declined = append(request.Declined, d.UserID)
	query, args := "UPDATE escalations SET request = $1 WHERE id = $2", []any{requestText(request), d.ID}
	if d.Next {
		query, args = "UPDATE escalations SET request = $1, deadline_at = $3, next_action_at = $3 WHERE id = $2 AND state = '"+Active+"'", append(args, now)
	}
	if _, err := tx.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("decline a request: %w", err)
	}
	pages, err := endPages(ctx, tx, now, Withdrawn, Answerable+" AND incident_number = $2 AND escalation_id = $3 AND user_id = $4", number, d.ID, d.UserID)
	if err != nil {
		return err
	}
	slices.Sort(pages)
	return withdrawMessages(ctx, tx, pages)
}
