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
func (db *DB) ClaimMessages(ctx context.Context, now time.Time, limit int, busy []notify.Medium) ([]notify.Claim, int, error) {
	claims, n, err := db.claim(ctx, now, limit, choice{busy: busy})
	if isDataError(err) {
		db.log.ErrorContext(ctx, "messages cannot be claimed together; they are claimed one by one", "error", err)
		return db.claimEach(ctx, now, limit, busy)
	}
	return claims, n, err
}

// claim claims what is due of a choice of messages in one transaction.
func (db *DB) claim(ctx context.Context, now time.Time, limit int, which choice) ([]notify.Claim, int, error) {
	c, err := committed(ctx, db, func(tx *Tx) (claimed, error) {
		found, err := tx.dueMessages(ctx, now, limit, which)
		if err != nil || len(found) == 0 {
			return claimed{}, err
		}
		if err := tx.subjects(ctx, found); err != nil {
			return claimed{}, err
		}
		sending, withdrawn := sortOut(found)
		if err := tx.withdraw(ctx, withdrawn); err != nil {
			return claimed{}, err
		}
		claims, err := tx.lease(ctx, sending, now)
		return claimed{claims, len(found)}, err
	})
	return c.claims, c.found, err
}

// claimed is what one transaction claimed of the messages that it found due.
type claimed struct {
	claims []notify.Claim
	found  int
}

// found is a message that may be claimed.
type found struct {
	notify.Claim
	incident sql.NullInt64
	lapsed   bool
}

const messageColumns = `SELECT m.id, m.kind, COALESCE(m.user_id, 0), COALESCE(m.contact_method_id, 0), m.medium, m.address, m.incident_number, m.body,
	m.attempts, m.state = 'sending', m.created_at, m.gathering FROM messages m WHERE `

// lapsed picks the messages m whose lease is over, by the clock of leases. next
// is the number of a further parameter, should one be needed.
func (db *DB) lapsed(next int) (string, []any) {
	if db.dialect == onPostgres {
		return "m.state = 'sending' AND m.lease_until < clock_timestamp()", nil
	}
	return fmt.Sprintf("m.state = 'sending' AND m.lease_until < $%d", next), []any{leaseClock()}
}

// choice narrows down what may be claimed.
type choice struct {
	busy []notify.Medium // left alone
	only int64           // one message, 0 for all
}

// due is the choice as a condition on queued messages m.
func (c choice) due() string {
	which := "1 = 1" + c.one()
	for _, m := range c.busy {
		which += " AND m.medium <> '" + string(m) + "'"
	}
	return which
}

func (c choice) one() string {
	if c.only == 0 {
		return ""
	}
	return fmt.Sprintf(" AND m.id = %d", c.only)
}

// dueMessages claims what a dead process held, then what is due to people, the
// most urgent first, then to chat channels. Served by messages_leased and
// messages_due.
func (tx *Tx) dueMessages(ctx context.Context, now time.Time, limit int, which choice) ([]*found, error) {
	lapsed, clock := tx.db.lapsed(1)
	all, err := tx.scanMessages(ctx, messageColumns+lapsed+which.one()+fmt.Sprintf(" ORDER BY m.id LIMIT %d", limit)+tx.db.skipping("m"), clock...)
	if err != nil {
		return nil, err
	}
	toPeople, err := tx.scanMessages(ctx, messageColumns+"m.state = 'queued' AND m.due_at <= $1 AND m.kind <> 'channel' AND "+which.due()+
		" ORDER BY m.priority, m.due_at, m.id LIMIT $2"+tx.db.skipping("m"), now, limit-len(all))
	if err != nil {
		return nil, err
	}
	all = append(all, toPeople...)
	if len(all) >= limit {
		return all, nil
	}
	toChannels, err := tx.dueToChannels(ctx, now, limit-len(all), which.due())
	return append(all, toChannels...), err
}

// dueToChannels claims at most one message a chat channel, so that an update
// finds the message that it updates. Where more than a few are due, it carries
// the others.
func (tx *Tx) dueToChannels(ctx context.Context, now time.Time, limit int, which string) ([]*found, error) {
	all, err := tx.scanMessages(ctx, messageColumns+`m.state = 'queued' AND m.due_at <= $1 AND m.kind = 'channel' AND `+which+`
		AND m.address NOT IN (SELECT s.address FROM messages s WHERE s.kind = 'channel' AND s.state = 'sending')
		ORDER BY m.priority, m.due_at, m.id LIMIT $2`+tx.db.skipping("m"), now, limit)
	if err != nil {
		return nil, err
	}
	var first []*found
	for _, f := range all {
		if slices.ContainsFunc(first, func(o *found) bool { return o.To == f.To }) {
			continue
		}
		first = append(first, f)
		if err := tx.carryOthers(ctx, now, f); err != nil {
			return nil, err
		}
	}
	return first, nil
}

// carryOthers has a message to a chat channel tell of all that is due there, if
// that is more than a few.
func (tx *Tx) carryOthers(ctx context.Context, now time.Time, f *found) error {
	var waiting int
	const others = "kind = 'channel' AND state = 'queued' AND address = $1 AND due_at <= $2 AND id <> $3"
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM messages WHERE "+others, f.To, now, f.ID).Scan(&waiting); err != nil {
		return fmt.Errorf("count a channel's messages: %w", err)
	}
	if waiting < notify.BundleAfter {
		return nil
	}
	_, err := tx.ExecContext(ctx, "UPDATE messages SET state = 'withdrawn', due_at = NULL, failure = 'Carried by another message.', carried_by = $3 WHERE "+others, f.To, now, f.ID)
	if err != nil {
		return fmt.Errorf("carry a channel's messages: %w", err)
	}
	return nil
}

// carriedSubjects adds the incidents whose messages another one carries, the
// most urgent first. It carries them at each of its attempts.
func (tx *Tx) carriedSubjects(ctx context.Context, f *found) error {
	rows, err := tx.QueryContext(ctx, "SELECT count(*) OVER (), "+subjectColumns+` JOIN messages c ON c.incident_number = i.number
		WHERE c.carried_by = $1 ORDER BY COALESCE(i.priority, `+strconv.Itoa(unranked)+`), i.number LIMIT $2`, f.ID, notify.MostSubjects-1)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var all int
		r, err := scanSubject(rows, &all)
		if err != nil {
			return err
		}
		f.Subjects = append(f.Subjects, r)
		f.More = max(0, all-notify.MostSubjects+1)
	}
	return rows.Err()
}

func (tx *Tx) scanMessages(ctx context.Context, query string, args ...any) ([]*found, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	defer rows.Close()
	var all []*found
	for rows.Next() {
		f := &found{}
		var gathered bool
		if err := rows.Scan(&f.ID, &f.Kind, &f.UserID, &f.MethodID, &f.Medium, &f.To, &f.incident, &f.Text, &f.Number, &f.lapsed, &f.MadeAt, &gathered); err != nil {
			return nil, fmt.Errorf("claim messages: %w", err)
		}
		if f.Number++; gathered {
			f.MadeAt = time.Time{}
		}
		f.Again = f.lapsed
		all = append(all, f)
	}
	return all, rows.Err()
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

func scanSubject(rows *sql.Rows, into ...any) (notify.Subject, error) {
	var r notify.Subject
	var facts, ackedBy, resolvedBy string
	var level *int
	into = append(into, &r.Number, &r.Title, &r.Service, &r.Deployment, &r.Priority, &level, &r.Status, &facts,
		&r.Runbook, &r.StartedAt, &ackedBy, &resolvedBy, &r.Note)
	if err := rows.Scan(into...); err != nil {
		return r, err
	}
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

// pageSubjects reads the most urgent incidents of each message in full and
// counts the others.
func (tx *Tx) pageSubjects(ctx context.Context, ids []int64, byID map[int64]*found) error {
	where, args := tx.db.in("mp.message_id", 1, ids)
	rows, err := tx.QueryContext(ctx, `
		WITH incident AS (
			SELECT mp.message_id, pg.incident_number AS number, n.priority, min(pg.id) AS page_id
			FROM message_pages mp JOIN pages pg ON pg.id = mp.page_id JOIN incidents n ON n.number = pg.incident_number
			WHERE pg.state IN ('active', 'superseded') AND n.status <> 'resolved' AND `+where+`
			GROUP BY mp.message_id, pg.incident_number, n.priority),
		standing AS (
			SELECT message_id, page_id, number,
			       row_number() OVER (PARTITION BY message_id ORDER BY COALESCE(priority, `+strconv.Itoa(unranked)+`), number) AS place,
			       count(*) OVER (PARTITION BY message_id) AS standing
			FROM incident)
		SELECT w.message_id, w.standing, pg.why, u.name,
			CASE u.timezone WHEN '' THEN (SELECT timezone FROM organization) ELSE u.timezone END, `+subjectColumns+`
		JOIN standing w ON w.number = i.number
		JOIN pages pg ON pg.id = w.page_id
		JOIN users u ON u.id = pg.user_id
		WHERE w.place <= `+strconv.Itoa(notify.MostSubjects)+` ORDER BY w.message_id, w.place`, args...)
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
		r.Why = whyInWords(why)
		f := byID[id]
		f.Name, f.Zone, f.More = name, zone, max(0, standing-notify.MostSubjects)
		f.Subjects = append(f.Subjects, r)
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
		if err := tx.carriedSubjects(ctx, f); err != nil {
			return err
		}
	}
	return tx.earlierPosts(ctx, all)
}

// earlierPosts finds the message that a chat channel's update replaces. One that
// tells of several incidents replaces none, and is replaced by none.
func (tx *Tx) earlierPosts(ctx context.Context, all []*found) error {
	for _, f := range all {
		if f.Kind != notify.KindChannel || f.Count() > 1 {
			continue
		}
		err := tx.QueryRowContext(ctx, `SELECT m.provider_id FROM messages m WHERE m.kind = 'channel' AND m.address = $1 AND m.incident_number = $2
			AND m.provider_id <> '' AND NOT EXISTS (SELECT 1 FROM messages c WHERE c.carried_by = m.id) ORDER BY m.id LIMIT 1`, f.To, f.incident.Int64).Scan(&f.Update)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

// sortOut tells what is to be sent from pages that were all answered.
func sortOut(all []*found) (sending, withdrawn []*found) {
	for _, f := range all {
		if f.Kind == notify.KindPage && len(f.Subjects) == 0 {
			withdrawn = append(withdrawn, f)
		} else {
			sending = append(sending, f)
		}
	}
	return sending, withdrawn
}

func (tx *Tx) withdraw(ctx context.Context, messages []*found) error {
	for _, f := range messages {
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = 'withdrawn', due_at = NULL, lease_owner = NULL, lease_until = NULL WHERE id = $1", f.ID); err != nil {
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
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET state = 'failed', finished_at = $1, again_next = true,
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

// Renew implements notify.OutboxStore. It locks in the order of ids, as every
// writer does.
func (db *DB) Renew(ctx context.Context, sending []int64) ([]int64, error) {
	return committed(ctx, db, func(tx *Tx) ([]int64, error) {
		where, args := db.in("id", 1, sending)
		owner := fmt.Sprintf("$%d", len(args)+1)
		mine, err := scanInts(tx.QueryContext(ctx, "SELECT id FROM messages WHERE state = 'sending' AND "+where+" AND lease_owner = "+owner+" ORDER BY id"+db.forUpdate(false), append(args, db.Owner)...))
		if err != nil || len(mine) == 0 {
			return nil, err
		}
		where, args = db.in("id", 1, mine)
		until, args := db.leaseEnd(len(args)+1, args...)
		_, err = tx.ExecContext(ctx, "UPDATE messages SET lease_until = "+until+" WHERE "+where, args...)
		return mine, err
	})
}
