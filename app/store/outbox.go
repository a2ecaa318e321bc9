package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// ClaimMessages implements notify.OutboxStore. An acknowledgment locks the
// messages of its pages too, so that it and a claim come one after the other:
// a claim that comes later sees the pages answered.
func (db *DB) ClaimMessages(ctx context.Context, now time.Time, limit int) ([]notify.Claim, error) {
	var claims []notify.Claim
	err := db.inTx(ctx, func(tx *Tx) error {
		claims = nil
		found, err := tx.dueMessages(ctx, now, limit)
		if err != nil || len(found) == 0 {
			return err
		}
		if err := tx.subjects(ctx, found); err != nil {
			return err
		}
		sending, withdrawn := sortOut(found)
		if err := tx.withdraw(ctx, withdrawn); err != nil {
			return err
		}
		claims, err = tx.lease(ctx, sending, now)
		return err
	})
	return claims, err
}

// found is a message that may be claimed.
type found struct {
	notify.Claim
	incident sql.NullInt64
	body     string
	lapsed   bool
	bundled  int64 // the message that carries this one's content
}

// dueMessages is served by messages_due and messages_leased. A chat channel
// gets one message at a time, so that an update finds the message it updates.
func (tx *Tx) dueMessages(ctx context.Context, now time.Time, limit int) ([]*found, error) {
	realNow := "clock_timestamp()"
	args := []any{now, limit}
	if tx.db.dialect == onSQLite {
		realNow, args = "$3", append(args, leaseClock())
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT m.id, m.kind, COALESCE(m.user_id, 0), COALESCE(m.contact_method_id, 0), m.medium, m.address, m.incident_number, m.body,
		       m.attempts, m.state = 'sending', m.created_at, m.gathering
		FROM messages m
		WHERE (m.state = 'queued' AND m.due_at <= $1 OR m.state = 'sending' AND m.lease_until < `+realNow+`)
		  AND NOT (m.kind = 'channel' AND EXISTS (SELECT 1 FROM messages s WHERE s.kind = 'channel' AND s.address = m.address AND s.state = 'sending' AND s.lease_until >= `+realNow+`))
		ORDER BY m.priority, m.due_at, m.id LIMIT $2`+tx.db.forUpdateOf("m"), args...)
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	defer rows.Close()
	var all []*found
	for rows.Next() {
		f := &found{}
		var gathered bool
		if err := rows.Scan(&f.ID, &f.Kind, &f.UserID, &f.MethodID, &f.Medium, &f.To, &f.incident, &f.body, &f.Number, &f.lapsed, &f.MadeAt, &gathered); err != nil {
			return nil, fmt.Errorf("claim messages: %w", err)
		}
		if f.Number++; gathered {
			f.MadeAt = time.Time{}
		}
		f.Text = f.body
		f.Again = f.lapsed
		all = append(all, f)
	}
	return all, rows.Err()
}

func (db *DB) forUpdateOf(table string) string {
	if db.dialect == onSQLite {
		return ""
	}
	return " FOR UPDATE OF " + table + " SKIP LOCKED"
}

// leaseClock is what leases go by on SQLite; on PostgreSQL it is the
// database's. A test's clock never moves it.
func leaseClock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// subjectColumns read an incident as a message speaks of it.
const subjectColumns = `
	i.number, i.title, COALESCE(s.name, ''), COALESCE(d.name, i.deployment), COALESCE(p.name, ''), i.priority, i.status, i.facts,
	COALESCE(s.runbook, ''), i.created_at, i.acknowledged_by, i.resolved_by, i.resolution
	FROM incidents i
	LEFT JOIN services s ON s.id = i.service_id
	LEFT JOIN deployments d ON d.slug = i.deployment
	LEFT JOIN priorities p ON p.level = i.priority`

// ranked is a subject with what it is sorted by.
type ranked struct {
	notify.Subject
	rank int
}

func scanSubject(rows *sql.Rows, into ...any) (ranked, error) {
	var r ranked
	var facts, ackedBy, resolvedBy string
	var level *int
	into = append(into, &r.Number, &r.Title, &r.Service, &r.Deployment, &r.Priority, &level, &r.Status, &facts,
		&r.Runbook, &r.StartedAt, &ackedBy, &resolvedBy, &r.Note)
	if err := rows.Scan(into...); err != nil {
		return r, err
	}
	r.rank = rank(level)
	if r.Priority == "" && level != nil {
		r.Priority = "P" + strconv.Itoa(*level)
	}
	switch incident.Status(r.Status) {
	case incident.Acknowledged:
		r.By = ackedBy
	case incident.Resolved:
		r.By = resolvedBy
	}
	var f incident.Facts
	if json.Unmarshal([]byte(facts), &f) == nil {
		r.Measure = measure(f)
	}
	return r, nil
}

// measure writes what was observed against what was promised.
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

// subjects fills in what the messages are about: the incidents of pages that
// still stand, the most urgent first, or a chat channel's incident.
func (tx *Tx) subjects(ctx context.Context, all []*found) error {
	byID := map[int64]*found{}
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
		if err := tx.pageSubjects(ctx, paging, byID); err != nil {
			return fmt.Errorf("read what messages are about: %w", err)
		}
	}
	if incidents != nil {
		if err := tx.channelSubjects(ctx, incidents, all); err != nil {
			return fmt.Errorf("read what messages are about: %w", err)
		}
	}
	return nil
}

func (tx *Tx) pageSubjects(ctx context.Context, ids []int64, byID map[int64]*found) error {
	where, args := tx.db.in("mp.message_id", 1, ids)
	rows, err := tx.QueryContext(ctx, `
		SELECT mp.message_id, pg.why, u.name, `+subjectColumns+`
		JOIN pages pg ON pg.incident_number = i.number
		JOIN users u ON u.id = pg.user_id
		JOIN message_pages mp ON mp.page_id = pg.id
		WHERE pg.state IN ('active', 'superseded') AND i.status <> 'resolved' AND `+where, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	subjects := map[int64][]ranked{}
	for rows.Next() {
		var id int64
		var why, name string
		r, err := scanSubject(rows, &id, &why, &name)
		if err != nil {
			return err
		}
		r.Why = whyInWords(why)
		byID[id].Name = name
		if !slices.ContainsFunc(subjects[id], func(o ranked) bool { return o.Number == r.Number }) {
			subjects[id] = append(subjects[id], r)
		}
	}
	for id, list := range subjects {
		slices.SortFunc(list, func(a, b ranked) int {
			if a.rank != b.rank {
				return a.rank - b.rank
			}
			return int(a.Number - b.Number)
		})
		for _, r := range list {
			byID[id].Subjects = append(byID[id].Subjects, r.Subject)
		}
	}
	return rows.Err()
}

func (tx *Tx) channelSubjects(ctx context.Context, numbers []int64, all []*found) error {
	where, args := tx.db.in("i.number", 1, numbers)
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
				f.Subjects = []notify.Subject{r.Subject}
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return tx.earlierPosts(ctx, all)
}

// earlierPosts finds the message that a chat channel's update replaces.
func (tx *Tx) earlierPosts(ctx context.Context, all []*found) error {
	for _, f := range all {
		if f.Kind != notify.KindChannel {
			continue
		}
		err := tx.QueryRowContext(ctx, `SELECT provider_id FROM messages WHERE kind = 'channel' AND address = $1 AND incident_number = $2
			AND provider_id <> '' ORDER BY id LIMIT 1`, f.To, f.incident.Int64).Scan(&f.Update)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

// sortOut tells what is to be sent from what is not: a page that was answered,
// and, where a chat channel has more than a few at once, those that one message
// carries together.
func sortOut(all []*found) (sending, withdrawn []*found) {
	perChannel := map[string][]*found{}
	for _, f := range all {
		switch {
		case f.Kind == notify.KindPage && len(f.Subjects) == 0:
			withdrawn = append(withdrawn, f)
		case f.Kind == notify.KindChannel && f.Update == "":
			perChannel[f.To] = append(perChannel[f.To], f)
		default:
			sending = append(sending, f)
		}
	}
	for _, posts := range perChannel {
		if len(posts) <= notify.BundleAfter {
			sending = append(sending, posts...)
			continue
		}
		first := posts[0]
		for _, f := range posts[1:] {
			first.Subjects = append(first.Subjects, f.Subjects...)
			f.bundled = first.ID
			withdrawn = append(withdrawn, f)
		}
		sending = append(sending, first)
	}
	return sending, withdrawn
}

func (tx *Tx) withdraw(ctx context.Context, messages []*found) error {
	for _, f := range messages {
		reason := ""
		if f.bundled != 0 {
			reason = "Carried by another message."
		}
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = 'withdrawn', due_at = NULL, lease_owner = NULL, lease_until = NULL, failure = $1 WHERE id = $2", reason, f.ID); err != nil {
			return fmt.Errorf("withdraw a message: %w", err)
		}
		if err := tx.lapse(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// lapse closes the attempt of a process that did not live to say what became of
// it.
func (tx *Tx) lapse(ctx context.Context, f *found) error {
	if !f.lapsed {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET state = 'failed', finished_at = $1,
		error = 'The process that was sending it ended. It may have been sent.' WHERE message_id = $2 AND state = 'sending'`, tx.db.Now(), f.ID)
	if err != nil {
		return fmt.Errorf("close a lost attempt: %w", err)
	}
	return nil
}

// lease commits "sending" and the attempt before the provider is called.
func (tx *Tx) lease(ctx context.Context, sending []*found, now time.Time) ([]notify.Claim, error) {
	claims := make([]notify.Claim, 0, len(sending))
	for _, f := range sending {
		if err := tx.lapse(ctx, f); err != nil {
			return nil, err
		}
		until, args := tx.db.leaseEnd(4, tx.db.Owner, f.Number, f.ID)
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = 'sending', gathering = false, lease_owner = $1, attempts = $2, lease_until = "+until+" WHERE id = $3", args...); err != nil {
			return nil, fmt.Errorf("lease a message: %w", err)
		}
		again := f.Again
		if !again && f.Number > 1 {
			// A retry after a time-out may be a second send as well.
			if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM attempts WHERE message_id = $1 AND again_next)", f.ID).Scan(&again); err != nil {
				return nil, fmt.Errorf("read earlier attempts: %w", err)
			}
		}
		f.Again = again
		err := tx.QueryRowContext(ctx, `INSERT INTO attempts (message_id, number, state, again, again_next, provider_id, error, started_at)
			VALUES ($1, $2, 'sending', $3, $4, '', '', $5) RETURNING id`, f.ID, f.Number, again, false, now).Scan(&f.Attempt)
		if err != nil {
			return nil, fmt.Errorf("begin an attempt: %w", err)
		}
		claims = append(claims, f.Claim)
	}
	return claims, nil
}

// leaseEnd is when a lease taken now ends, by the clock of leases, as SQL. next
// is the number of a further parameter, should one be needed.
func (db *DB) leaseEnd(next int, args ...any) (string, []any) {
	if db.dialect == onPostgres {
		return fmt.Sprintf("clock_timestamp() + interval '%d milliseconds'", notify.Lease.Milliseconds()), args
	}
	return fmt.Sprintf("$%d", next), append(args, leaseClock().Add(notify.Lease))
}

// Renew implements notify.OutboxStore.
func (db *DB) Renew(ctx context.Context) ([]int64, error) {
	var held []int64
	err := db.inTx(ctx, func(tx *Tx) error {
		until, args := db.leaseEnd(2, db.Owner)
		var err error
		held, err = scanInts(tx.QueryContext(ctx, "UPDATE messages SET lease_until = "+until+" WHERE state = 'sending' AND lease_owner = $1 RETURNING id", args...))
		return err
	})
	return held, err
}
