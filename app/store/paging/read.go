package paging

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

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
	var rows []pageRead
	err := s.db.GormRead(ctx).Table("pages AS p").Select(`p.id AS page_id, p.escalation_id, p.user_id, u.name AS user_name, u.email AS user_email,
			p.urgency, p.shadow, p.digest, p.why, p.state AS page_state, p.created_at, p.ended_at, p.notify_at,
			COALESCE(m.id, 0) AS message_id, m.medium, m.address, m.state AS message_state, m.failure, m.gathering, m.due_at, m.held_at, f.medium AS instead_of,
			COALESCE(a.id, 0) AS attempt_id, a.number, a.state AS attempt_state, a.again, a.provider_id, a.error, a.started_at, a.finished_at`).
		Joins("JOIN users u ON u.id = p.user_id").
		Joins("LEFT JOIN message_pages mp ON mp.page_id = p.id").
		Joins("LEFT JOIN messages m ON m.id = mp.message_id").
		Joins("LEFT JOIN messages f ON f.id = m.fallback_of").
		Joins("LEFT JOIN attempts a ON a.message_id = m.id").
		Where("p.incident_number = ?", number).Order("p.id, m.id, a.number").Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	records := make([]incident.PageRecord, len(rows))
	for i := range rows {
		records[i] = rows[i].record()
	}
	return records, s.addWith(ctx, number, records)
}

// pageRead is a page with one of its messages and one attempt. Columns of a message
// or an attempt that does not exist keep the zero value.
type pageRead struct {
	PageID, EscalationID, UserID int64
	UserName, UserEmail          string
	Urgency                      incident.Urgency
	Shadow, Digest               bool
	Why, PageState               string
	CreatedAt                    time.Time
	EndedAt, NotifyAt            *time.Time

	MessageID                              int64 // 0 for none
	Medium, Address, MessageState, Failure string
	Gathering                              bool
	DueAt, HeldAt                          *time.Time
	InsteadOf                              string

	AttemptID                       int64 // 0 for none
	Number                          int
	AttemptState, ProviderID, Error string
	Again                           bool
	StartedAt, FinishedAt           *time.Time
}

func (p *pageRead) record() incident.PageRecord {
	r := incident.PageRecord{
		PageID: p.PageID, EscalationID: p.EscalationID, UserID: p.UserID, UserName: p.UserName, UserEmail: p.UserEmail,
		Urgency: p.Urgency, Shadow: p.Shadow, Digest: p.Digest, Why: json.RawMessage(p.Why), PageState: p.PageState,
		CreatedAt: p.CreatedAt, EndedAt: p.EndedAt, NotifyAt: p.NotifyAt,
		MessageID: p.MessageID, Medium: p.Medium, Contact: notify.Masked(notify.Medium(p.Medium), p.Address), InsteadOf: p.InsteadOf,
		AttemptID: p.AttemptID, Number: p.Number, Again: p.Again, ProviderID: p.ProviderID, StartedAt: p.StartedAt, FinishedAt: p.FinishedAt,
	}
	var w escalation.Why
	if json.Unmarshal(r.Why, &w) == nil {
		r.Step, r.Run = w.Step, w.Run
	}
	r.State, r.Error = p.state()
	r.Waits = p.MessageState == Queued && p.HeldAt != nil && r.State != incident.AttemptWithdrawn
	if p.MessageState == Queued && r.State != incident.AttemptWithdrawn {
		r.RetryAt = p.DueAt
	}
	return r
}

// unreached is why a page failed that no message was ever made of.
const unreached = "No contact method of theirs works."

// state is the state to show, and the error that led to it.
func (p *pageRead) state() (incident.AttemptState, string) {
	over := p.PageState == Withdrawn
	switch {
	case p.AttemptID != 0 && over && p.EndedAt != nil && p.StartedAt.After(*p.EndedAt):
		return incident.AttemptWithdrawn, p.Error // the message was sent without it
	case p.AttemptID != 0:
		return incident.AttemptState(p.AttemptState), p.Error
	case p.MessageState == Failed, p.MessageState == Queued && p.HeldAt != nil: // before any attempt
		return incident.AttemptFailed, p.Failure
	case p.MessageState == Withdrawn, over, p.MessageID == 0 && p.PageState == Superseded:
		return incident.AttemptWithdrawn, ""
	case p.MessageID == 0 && p.PageState == Failed:
		return incident.AttemptFailed, unreached
	case p.Gathering:
		return incident.AttemptBundled, ""
	}
	return incident.AttemptQueued, ""
}

// addWith counts the other incidents of the same messages.
func (s *Store) addWith(ctx context.Context, number int64, records []incident.PageRecord) error {
	var rows []struct {
		MessageID int64
		Others    int
	}
	err := s.db.GormRead(ctx).Table("pages AS p").Select("o.message_id, count(DISTINCT q.incident_number) - 1 AS others").
		Joins("JOIN message_pages mp ON mp.page_id = p.id").
		Joins("JOIN message_pages o ON o.message_id = mp.message_id").
		Joins("JOIN pages q ON q.id = o.page_id").
		Where("p.incident_number = ?", number).Group("o.message_id").Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("count the incidents of messages: %w", err)
	}
	with := map[int64]int{}
	for _, r := range rows {
		with[r.MessageID] = r.Others
	}
	for i := range records {
		records[i].With = with[records[i].MessageID]
	}
	return nil
}
