package paging

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// tell fills in what a message to a chat channel says: how the incidents are that it
// shows, open ones first and of those the most urgent. Where the channel shows none of
// the message's own in another post, or not all, those that it does not show make a new
// post; otherwise the post is updated that shows the message's incident. It does so at
// each attempt.
func tell(ctx context.Context, tx *db.Tx, f *DueMessage) error {
	shown, args := unposted, []any{f.ID}
	if err := countStates(ctx, tx, f, shown, args); err != nil {
		return err
	}
	f.Update = ""
	if f.Count() == 0 {
		var err error
		if f.Update, err = post(ctx, tx, f.To, f.incident.Int64); err != nil {
			return err
		}
		shown, args = ofPost, []any{f.To, f.Update}
		if err := countStates(ctx, tx, f, shown, args); err != nil {
			return err
		}
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+subjectColumns+" WHERE "+shown+fmt.Sprintf(`
		ORDER BY CASE WHEN i.status = '`+string(incident.Resolved)+`' THEN 1 ELSE 0 END, `+incident.PageRankSQL("i.priority")+`, i.number LIMIT $%d`, len(args)+1),
		append(args, notify.MaxSubjects)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	f.Subjects = nil
	for rows.Next() {
		r, err := scanSubject(rows)
		if err != nil {
			return err
		}
		f.Subjects = append(f.Subjects, r)
	}
	f.More -= len(f.Subjects)
	return rows.Err()
}

const (
	// unposted is the condition on an incident i that the message $1 is about it, or
	// carries one that is, and that its channel does not show it yet.
	unposted = "i.number IN (SELECT m.incident_number FROM messages m WHERE (m.id = $1 OR m.carried_by = $1) AND NOT " + posted + ")"
	// ofPost is the condition that the channel $1 shows it in the post $2.
	ofPost = "i.number IN (SELECT p.incident_number FROM chat_posts p WHERE p.address = $1 AND p.provider_id = $2)"
)

// countStates counts incidents by their status. As long as none is a subject, all are
// in More.
func countStates(ctx context.Context, tx *db.Tx, f *DueMessage, where string, args []any) error {
	rows, err := tx.QueryContext(ctx, "SELECT i.status, count(*) FROM incidents i WHERE "+where+" GROUP BY i.status", args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	f.Subjects, f.More, f.States = nil, 0, map[string]int{}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return err
		}
		f.States[state] = n
		f.More += n
	}
	return rows.Err()
}

// subjectColumns are the columns of an incident in a message.
const subjectColumns = `
	i.number, i.title, COALESCE(s.name, ''), COALESCE(d.name, i.deployment), COALESCE(p.name, ''), i.priority, i.status, i.facts,
	COALESCE(s.runbook, ''), i.created_at, i.acknowledged_by, i.resolved_by, i.resolution,
	COALESCE((SELECT a.name FROM users a WHERE a.email = i.acknowledged_by), ''), COALESCE((SELECT a.name FROM users a WHERE a.email = i.resolved_by), '')
	FROM incidents i
	LEFT JOIN services s ON s.id = i.service_id
	LEFT JOIN deployments d ON d.slug = i.deployment
	LEFT JOIN priorities p ON p.level = i.priority`

func scanSubject(rows *sql.Rows, into ...any) (notify.Subject, error) {
	var r notify.Subject
	var facts, ackedBy, resolvedBy, acker, resolver string
	var level *int
	into = append(into, &r.Number, &r.Title, &r.Service, &r.Deployment, &r.Priority, &level, &r.Status, &facts,
		&r.Runbook, &r.StartedAt, &ackedBy, &resolvedBy, &r.Note, &acker, &resolver)
	if err := rows.Scan(into...); err != nil {
		return r, err
	}
	if r.Priority == "" && level != nil && *level != catalog.NoPriority {
		r.Priority = "P" + strconv.Itoa(*level)
	}
	switch incident.Status(r.Status) {
	case incident.Acknowledged:
		r.By = cmp.Or(acker, incident.ActorInWords(ackedBy))
	case incident.Resolved:
		r.By = cmp.Or(resolver, incident.ActorInWords(resolvedBy))
	}
	var f incident.Facts
	if json.Unmarshal([]byte(facts), &f) == nil {
		r.Measure, r.Detail = measure(f), f.Detail(r.Title)
	}
	return r, nil
}

// measure formats the observed value, and the objective where it is known.
func measure(f incident.Facts) string {
	percent := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + " %" }
	switch {
	case f.Observed != nil && f.Objective != nil:
		return percent(*f.Observed) + " of " + percent(*f.Objective)
	case f.Observed != nil:
		return percent(*f.Observed)
	}
	return ""
}

// Subjects fills in the incidents of messages: those of pages that are answerable,
// the most urgent first, or the incident of a post.
func Subjects(ctx context.Context, tx *db.Tx, all []*DueMessage) error {
	byID := map[int64]*DueMessage{}
	var paging, incidents []int64
	for _, f := range all {
		byID[f.ID] = f
		switch {
		case f.Kind == notify.KindPage:
			paging = append(paging, f.ID)
		case f.incident.Valid:
			incidents = append(incidents, f.incident.Int64)
		}
	}
	if paging != nil {
		if err := pageSubjects(ctx, tx, paging, byID); err != nil {
			return fmt.Errorf("read the incidents of messages: %w", err)
		}
	}
	if incidents != nil {
		if err := channelSubjects(ctx, tx, incidents, all); err != nil {
			return fmt.Errorf("read the incidents of messages: %w", err)
		}
	}
	return nil
}

// pageSubjects reads the most urgent incidents of each message in full and
// counts the others.
func pageSubjects(ctx context.Context, tx *db.Tx, ids []int64, byID map[int64]*DueMessage) error {
	where, args := tx.DB.In("mp.message_id", 1, ids)
	rows, err := tx.QueryContext(ctx, `
		WITH incident AS (
			SELECT mp.message_id, pg.incident_number AS number, n.priority, min(pg.id) AS page_id
			FROM message_pages mp `+pagesOf(tx.DB)+` JOIN incidents n ON n.number = pg.incident_number
			WHERE pg.`+Answerable+` AND n.`+OpenIncident+` AND `+where+`
			GROUP BY mp.message_id, pg.incident_number, n.priority),
		standing AS (
			SELECT message_id, page_id, number,
			       row_number() OVER (PARTITION BY message_id ORDER BY `+incident.PageRankSQL("priority")+`, number) AS place,
			       count(*) OVER (PARTITION BY message_id) AS standing
			FROM incident)
		SELECT w.message_id, w.standing, pg.why, u.name,
			CASE u.timezone WHEN '' THEN (SELECT timezone FROM organization) ELSE u.timezone END, `+subjectColumns+`
		JOIN standing w ON w.number = i.number
		JOIN pages pg ON pg.id = w.page_id
		JOIN users u ON u.id = pg.user_id
		WHERE w.place <= `+strconv.Itoa(notify.MaxSubjects)+` ORDER BY w.message_id, w.place`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var standing int
		var why, name, zone string
		r, err := scanSubject(rows, &id, &standing, &why, &name, &zone)
		if err != nil {
			return err
		}
		addWhy(&r, why)
		f := byID[id]
		f.Name, f.Zone, f.More = name, zone, max(0, standing-notify.MaxSubjects)
		f.Subjects = append(f.Subjects, r)
	}
	return rows.Err()
}

// pagesOf joins the pages pg of message_pages mp. On PostgreSQL they are looked up one by
// one, whatever the planner estimates: OFFSET 0 keeps it from reading all pages first.
func pagesOf(d *db.DB) string {
	if d.Dialect == db.Postgres {
		return "CROSS JOIN LATERAL (SELECT * FROM pages WHERE id = mp.page_id OFFSET 0) pg"
	}
	return "JOIN pages pg ON pg.id = mp.page_id"
}

func channelSubjects(ctx context.Context, tx *db.Tx, numbers []int64, all []*DueMessage) error {
	where, args := tx.DB.In("i.number", 1, numbers)
	rows, err := tx.QueryContext(ctx, "SELECT "+subjectColumns+" WHERE "+where, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanSubject(rows)
		if err != nil {
			return err
		}
		for _, f := range all {
			if f.Kind != notify.KindPage && f.incident.Int64 == r.Number {
				f.Subjects = []notify.Subject{r}
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, f := range all {
		if f.Kind != notify.KindChannel {
			continue
		}
		if err := tell(ctx, tx, f); err != nil {
			return err
		}
	}
	return nil
}

func addWhy(s *notify.Subject, data string) {
	var w escalation.Why
	if json.Unmarshal([]byte(data), &w) != nil {
		return
	}
	s.Why, s.Question = w.Sentence(), w.Question()
	s.Asked, s.Message = w.Headline(), w.Message
	if s.Question != "" {
		s.AnswerWithin = incident.AnswerWithin
	}
}
