package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// incidentRows is a query of incidents with the names of what they refer to.
func (db *DB) incidentRows(ctx context.Context) *gorm.DB {
	return db.reading(ctx).Table("incidents AS i").
		Select(`i.*, COALESCE(s.slug, '') AS service_slug, COALESCE(s.name, '') AS service_name, COALESCE(s.runbook, '') AS runbook,
			COALESCE(t.slug, '') AS team_slug, COALESCE(t.name, '') AS team_name, COALESCE(d.name, i.deployment) AS deployment_name,
			COALESCE(p.name, '') AS priority_name, COALESCE(u.name, '') AS owner_name, COALESCE(u.email, '') AS owner_email`).
		Joins("LEFT JOIN services s ON s.id = i.service_id").
		Joins("LEFT JOIN teams t ON t.id = s.team_id").
		Joins("LEFT JOIN deployments d ON d.slug = i.deployment").
		Joins("LEFT JOIN priorities p ON p.level = i.priority").
		Joins("LEFT JOIN users u ON u.id = i.owner_id")
}

// ListIncidents lists incidents, newest first by number. Those that are open
// are served by the index incidents_open, a service's by incidents_service.
func (db *DB) ListIncidents(ctx context.Context, f incident.ListFilter) ([]incident.Row, error) {
	var rows []incident.Row
	if err := narrow(db.incidentRows(ctx), f).Order("i.number DESC").Limit(f.Limit).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	return rows, db.addPaged(ctx, rows)
}

// minePaged is served by the index pages_incident.
const minePaged = `(i.owner_id = ? OR EXISTS (SELECT 1 FROM pages pg WHERE pg.incident_number = i.number AND pg.user_id = ? AND pg.state IN ('active', 'superseded')))`

func narrow(g *gorm.DB, f incident.ListFilter) *gorm.DB {
	open := len(f.Statuses) > 0
	for _, s := range f.Statuses {
		open = open && s != incident.Resolved
	}
	if open {
		g = g.Where("i.status <> 'resolved'") // as the index says it
	}
	if len(f.Statuses) > 0 {
		g = g.Where("i.status IN ?", f.Statuses)
	}
	if f.Service != "" {
		g = g.Where("i.service_id = (SELECT id FROM services WHERE slug = ?)", f.Service)
	}
	if f.Team != "" {
		g = g.Where("t.slug = ?", f.Team)
	}
	if f.NoPriority {
		g = g.Where("i.priority IS NULL")
	} else if f.Priority != nil {
		g = g.Where("i.priority = ?", *f.Priority)
	}
	if f.MineOf != 0 {
		g = g.Where(minePaged, f.MineOf, f.MineOf)
	}
	if f.Before > 0 {
		g = g.Where("i.number < ?", f.Before)
	}
	return search(g, f.Search)
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// search looks for text in titles and services, and at the beginning of dedup
// keys, whose middle has the SLI that thousands share; for a number also, written
// 17 or #17. A part of a title can be found by reading alone, and the key
// stands in the row that is read: an index of keys would serve nothing here, and
// cost every signal.
func search(g *gorm.DB, text string) *gorm.DB {
	text = strings.TrimSpace(text)
	if text == "" {
		return g
	}
	begins := likeEscapes.Replace(strings.ToLower(text)) + "%"
	like := "%" + begins
	number, err := strconv.ParseInt(strings.TrimPrefix(text, "#"), 10, 64)
	if err != nil {
		number = 0
	}
	// A database may know small letters of ASCII alone: what is written as it
	// stands is found in any script.
	exactly := "%" + likeEscapes.Replace(text) + "%"
	return g.Where(`(i.number = ? OR lower(i.title) LIKE ? ESCAPE '\' OR i.title LIKE ? ESCAPE '\' OR lower(i.dedup_key) LIKE ? ESCAPE '\' OR i.dedup_key LIKE ? ESCAPE '\'
		OR lower(s.name) LIKE ? ESCAPE '\' OR s.name LIKE ? ESCAPE '\' OR s.slug LIKE ? ESCAPE '\')`,
		number, like, exactly, begins, exactly[1:], like, exactly, like)
}

// addPaged names whose page is unanswered, in the order in which they were
// paged.
func (db *DB) addPaged(ctx context.Context, incidents []incident.Row) error {
	at := map[int64]int{}
	var numbers []int64
	for i := range incidents {
		if incidents[i].Status == incident.Triggered {
			at[incidents[i].Number] = i
			numbers = append(numbers, incidents[i].Number)
		}
	}
	if numbers == nil {
		return nil
	}
	where, args := db.in("p.incident_number", 1, numbers)
	rows, err := db.read.QueryContext(ctx, db.rebind(`SELECT p.incident_number, u.id, u.name, u.email FROM pages p JOIN users u ON u.id = p.user_id
		WHERE p.state IN ('active', 'superseded') AND NOT p.shadow AND `+where+` GROUP BY p.incident_number, u.id, u.name, u.email ORDER BY min(p.id)`), args...)
	if err != nil {
		return fmt.Errorf("read who is paged: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var p incident.PagedPerson
		if err := rows.Scan(&number, &p.UserID, &p.Name, &p.Email); err != nil {
			return fmt.Errorf("read who is paged: %w", err)
		}
		row := &incidents[at[number]]
		row.Paged = append(row.Paged, p)
	}
	return rows.Err()
}

// CountIncidents counts those that are open, and those of a person among them.
func (db *DB) CountIncidents(ctx context.Context, userID int64) (incident.Counts, error) {
	var c incident.Counts
	err := db.reading(ctx).Table("incidents AS i").Where("i.status <> 'resolved'").
		Select(`count(*) AS open, COALESCE(sum(CASE WHEN i.status = 'triggered' THEN 1 ELSE 0 END), 0) AS unanswered,
			COALESCE(sum(CASE WHEN `+minePaged+` THEN 1 ELSE 0 END), 0) AS mine`, userID, userID).Scan(&c).Error
	if err != nil {
		return c, fmt.Errorf("count incidents: %w", err)
	}
	return c, nil
}

// MatchingIncidents counts what a filter finds in each status; its own Statuses,
// MineOf and Before do not count. A search reads every incident.
func (db *DB) MatchingIncidents(ctx context.Context, f incident.ListFilter, userID int64) (incident.Matches, error) {
	f.Statuses, f.MineOf, f.Before = nil, 0, 0
	var m incident.Matches
	err := narrow(db.incidentRows(ctx), f).
		Select(`COALESCE(sum(CASE WHEN i.status <> 'resolved' THEN 1 ELSE 0 END), 0) AS open,
			COALESCE(sum(CASE WHEN i.status = 'triggered' THEN 1 ELSE 0 END), 0) AS unanswered,
			COALESCE(sum(CASE WHEN i.status <> 'resolved' AND `+minePaged+` THEN 1 ELSE 0 END), 0) AS mine,
			COALESCE(sum(CASE WHEN i.status = 'resolved' THEN 1 ELSE 0 END), 0) AS resolved`, userID, userID).Scan(&m).Error
	if err != nil {
		return m, fmt.Errorf("count what matches: %w", err)
	}
	return m, nil
}

// Incident is one incident; NotFound where there is none with the number.
func (db *DB) Incident(ctx context.Context, number int64) (incident.Row, error) {
	var rows []incident.Row
	if err := db.incidentRows(ctx).Where("i.number = ?", number).Scan(&rows).Error; err != nil {
		return incident.Row{}, fmt.Errorf("read an incident: %w", err)
	}
	if len(rows) == 0 {
		return incident.Row{}, fault.NotFound("There is no incident with number %d.", number)
	}
	return rows[0], db.addPaged(ctx, rows)
}

// rememberedFor is how far back, in incidents, something counts as seen before:
// the search for it must not grow with the years.
const rememberedFor = 50_000

// EarlierIncidents are those of the same alert or the same SLO that began
// before an incident, newest first.
func (db *DB) EarlierIncidents(ctx context.Context, inc incident.Incident, limit int) ([]incident.Row, error) {
	var rows []incident.Row
	err := db.incidentRows(ctx).Where("i.service_id = ? AND i.number BETWEEN ? AND ? AND (i.dedup_key = ? OR i.title = ?)", inc.ServiceID, inc.Number-rememberedFor, inc.Number-1, inc.DedupKey, inc.Title).
		Order("i.number DESC").Limit(limit).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read earlier incidents: %w", err)
	}
	return rows, nil
}

// LatestAlert is the alert of an incident that was heard of last; NotFound
// where it has none.
func (db *DB) LatestAlert(ctx context.Context, number int64) (incident.AlertRecord, error) {
	var found []incident.AlertRecord
	err := db.reading(ctx).Table("alerts AS a").Select("a.*, COALESCE(i.slug, '') AS integration_slug, COALESCE(i.name, '') AS integration_name").
		Joins("LEFT JOIN integrations i ON i.id = a.integration_id").
		Where("a.incident_number = ?", number).Order("a.last_seen_at DESC, a.id DESC").Limit(1).Scan(&found).Error
	if err != nil {
		return incident.AlertRecord{}, fmt.Errorf("read an alert: %w", err)
	}
	if len(found) == 0 {
		return incident.AlertRecord{}, fault.NotFound("Incident %d has no alert.", number)
	}
	return found[0], nil
}

// Timeline is what happened, oldest first, after an event's id; at most limit
// lines, or all where it is 0.
func (db *DB) Timeline(ctx context.Context, number, after int64, limit int) ([]incident.TimelineEvent, error) {
	query := "SELECT id, incident_number, at, kind, actor, data FROM timeline_events WHERE incident_number = $1 AND id > $2 ORDER BY id"
	args := []any{number, after}
	if limit > 0 {
		query, args = query+" LIMIT $3", append(args, limit)
	}
	rows, err := db.read.QueryContext(ctx, db.rebind(query), args...)
	if err != nil {
		return nil, fmt.Errorf("read a timeline: %w", err)
	}
	defer rows.Close()
	var events []incident.TimelineEvent
	for rows.Next() {
		var e incident.TimelineEvent
		var kind incident.EventKind
		var data string
		if err := rows.Scan(&e.ID, &e.IncidentNo, &e.At, &kind, &e.Actor, &data); err != nil {
			return nil, fmt.Errorf("read a timeline: %w", err)
		}
		e.At, e.Payload = e.At.UTC(), incident.DecodePayload(kind, []byte(data))
		events = append(events, e)
	}
	return events, rows.Err()
}

// IncidentEscalations are an incident's, oldest first.
func (db *DB) IncidentEscalations(ctx context.Context, number int64) ([]incident.EscalationRecord, error) {
	var found []incident.EscalationRecord
	err := db.reading(ctx).Table("escalations AS e").Select("e.*, COALESCE(p.slug, '') AS policy_slug, COALESCE(p.name, '') AS policy_name").
		Joins("LEFT JOIN policy_versions v ON v.id = e.policy_version_id").Joins("LEFT JOIN policies p ON p.id = v.policy_id").
		Where("e.incident_number = ?", number).Order("e.id").Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("read escalations: %w", err)
	}
	return found, nil
}

// IncidentPages are what became of an incident's pages, in the order in which
// they were made: by page, message and attempt.
func (db *DB) IncidentPages(ctx context.Context, number int64) ([]incident.PageRecord, error) {
	rows, err := db.read.QueryContext(ctx, db.rebind(`
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
	return records, db.addWith(ctx, number, records)
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
	if m.state.String != "queued" || r.State == incident.AttemptWithdrawn {
		r.RetryAt = nil
	}
	return r, nil
}

// unreached is why a page failed that no message was ever made of.
const unreached = "No contact method of theirs works."

func attemptState(r *incident.PageRecord, m pageMessage, a pageAttempt) incident.AttemptState {
	over := r.PageState == "withdrawn"
	switch {
	case a.id.Valid && over && r.EndedAt != nil && r.StartedAt.After(*r.EndedAt):
		return incident.AttemptWithdrawn // the message left without it
	case a.id.Valid:
		return incident.AttemptState(a.state.String)
	case m.state.String == "failed": // it could not even be tried
		r.Error = m.failure.String
		return incident.AttemptFailed
	case m.state.String == "withdrawn", over, !m.id.Valid && r.PageState == "superseded":
		return incident.AttemptWithdrawn
	case !m.id.Valid && r.PageState == "failed":
		r.Error = unreached
		return incident.AttemptFailed
	case m.gathering.Bool:
		return incident.AttemptBundled
	}
	return incident.AttemptQueued
}

// addWith counts what else the same messages tell of.
func (db *DB) addWith(ctx context.Context, number int64, records []incident.PageRecord) error {
	rows, err := db.read.QueryContext(ctx, db.rebind(`
		SELECT o.message_id, count(DISTINCT q.incident_number) - 1 FROM pages p
		JOIN message_pages mp ON mp.page_id = p.id
		JOIN message_pages o ON o.message_id = mp.message_id
		JOIN pages q ON q.id = o.page_id
		WHERE p.incident_number = $1 GROUP BY o.message_id`), number)
	if err != nil {
		return fmt.Errorf("count what messages tell of: %w", err)
	}
	defer rows.Close()
	with := map[int64]int{}
	for rows.Next() {
		var id int64
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return fmt.Errorf("count what messages tell of: %w", err)
		}
		with[id] = n
	}
	for i := range records {
		records[i].With = with[records[i].MessageID]
	}
	return rows.Err()
}
