package paging

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// IncidentEscalations are an incident's, oldest first.
func (s *Store) IncidentEscalations(ctx context.Context, number int64) ([]incident.EscalationRecord, error) {
	var found []incident.EscalationRecord
	err := s.db.GormRead(ctx).Table("escalations AS e").Select("e.*, COALESCE(p.slug, '') AS policy_slug, COALESCE(p.name, '') AS policy_name").
		Joins("LEFT JOIN policy_versions v ON v.id = e.policy_version_id").Joins("LEFT JOIN policies p ON p.id = v.policy_id").
		Where("e.incident_number = ?", number).Order("e.id").Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("read escalations: %w", err)
	}
	return found, nil
}

// IncidentPages are an incident's pages with their messages and attempts, ordered by
// page, message and attempt.
func (s *Store) IncidentPages(ctx context.Context, number int64) ([]incident.PageRecord, error) {
	rows, err := s.db.Read.QueryContext(ctx, s.db.Rebind(`
		SELECT p.id, p.escalation_id, p.user_id, u.name, u.email, p.urgency, p.shadow, p.digest, p.why, p.state, p.created_at, p.ended_at, p.notify_at,
		       m.id, m.medium, m.address, m.state, m.failure, m.gathering, m.due_at, f.medium,
		       a.id, a.number, a.state, a.again, a.provider_id, a.error, a.started_at, a.finished_at
		FROM pages p
		JOIN users u ON u.id = p.user_id
		LEFT JOIN message_pages mp ON mp.page_id = p.id
		LEFT JOIN messages m ON m.id = mp.message_id
		LEFT JOIN messages f ON f.id = m.fallback_of
		LEFT JOIN attempts a ON a.message_id = m.id
		WHERE p.incident_number = $1 ORDER BY p.id, m.id, a.number`), number)
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	defer rows.Close()
	var records []incident.PageRecord
	for rows.Next() {
		r, err := scanPage(rows)
		if err != nil {
			return nil, fmt.Errorf("read pages: %w", err)
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	return records, s.addWith(ctx, number, records)
}

// pageMessage and pageAttempt are the parts of a record that may be missing.
type pageMessage struct {
	id                                      sql.NullInt64
	medium, address, state, failure, failed sql.NullString
	gathering                               sql.NullBool
}

type pageAttempt struct {
	id, number                sql.NullInt64
	state, providerID, reason sql.NullString
	again                     sql.NullBool
}

func scanPage(rows *sql.Rows) (incident.PageRecord, error) {
	var r incident.PageRecord
	var why string
	var m pageMessage
	var a pageAttempt
	err := rows.Scan(&r.PageID, &r.EscalationID, &r.UserID, &r.UserName, &r.UserEmail, &r.Urgency, &r.Shadow, &r.Digest, &why, &r.PageState, &r.CreatedAt, &r.EndedAt, &r.NotifyAt,
		&m.id, &m.medium, &m.address, &m.state, &m.failure, &m.gathering, &r.RetryAt, &m.failed,
		&a.id, &a.number, &a.state, &a.again, &a.providerID, &a.reason, &r.StartedAt, &r.FinishedAt)
	if err != nil {
		return r, err
	}
	r.Why = json.RawMessage(why)
	var w escalation.Why
	if json.Unmarshal(r.Why, &w) == nil {
		r.Step, r.Run = w.Step, w.Run
	}
	r.MessageID, r.Medium, r.InsteadOf = m.id.Int64, m.medium.String, m.failed.String
	r.Contact = notify.Masked(notify.Medium(m.medium.String), m.address.String)
	r.AttemptID, r.Number, r.Again = a.id.Int64, int(a.number.Int64), a.again.Bool
	r.ProviderID, r.Error = a.providerID.String, a.reason.String
	r.State = attemptState(&r, m, a)
	if m.state.String != Queued || r.State == incident.AttemptWithdrawn {
		r.RetryAt = nil
	}
	return r, nil
}

// unreached is why a page failed that no message was ever made of.
const unreached = "No contact method of theirs works."

func attemptState(r *incident.PageRecord, m pageMessage, a pageAttempt) incident.AttemptState {
	over := r.PageState == Withdrawn
	switch {
	case a.id.Valid && over && r.EndedAt != nil && r.StartedAt.After(*r.EndedAt):
		return incident.AttemptWithdrawn // the message was sent without it
	case a.id.Valid:
		return incident.AttemptState(a.state.String)
	case m.state.String == Failed: // it failed before any attempt
		r.Error = m.failure.String
		return incident.AttemptFailed
	case m.state.String == Withdrawn, over, !m.id.Valid && r.PageState == Superseded:
		return incident.AttemptWithdrawn
	case !m.id.Valid && r.PageState == Failed:
		r.Error = unreached
		return incident.AttemptFailed
	case m.gathering.Bool:
		return incident.AttemptBundled
	}
	return incident.AttemptQueued
}

// addWith counts the other incidents of the same messages.
func (s *Store) addWith(ctx context.Context, number int64, records []incident.PageRecord) error {
	rows, err := s.db.Read.QueryContext(ctx, s.db.Rebind(`
		SELECT o.message_id, count(DISTINCT q.incident_number) - 1 FROM pages p
		JOIN message_pages mp ON mp.page_id = p.id
		JOIN message_pages o ON o.message_id = mp.message_id
		JOIN pages q ON q.id = o.page_id
		WHERE p.incident_number = $1 GROUP BY o.message_id`), number)
	if err != nil {
		return fmt.Errorf("count the incidents of messages: %w", err)
	}
	defer rows.Close()
	with := map[int64]int{}
	for rows.Next() {
		var id int64
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return fmt.Errorf("count the incidents of messages: %w", err)
		}
		with[id] = n
	}
	for i := range records {
		records[i].With = with[records[i].MessageID]
	}
	return rows.Err()
}
