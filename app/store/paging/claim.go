package paging

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// ClaimMessages implements notify.OutboxStore. An acknowledgment locks the
// messages of its pages too, so that it and a claim come one after the other:
// a claim that comes later sees the pages answered, and sends without them.
func (s *Store) ClaimMessages(ctx context.Context, now time.Time, limit int, busy notify.Busy) ([]notify.Claim, int, error) {
	claims, n, err := s.Claim(ctx, now, limit, Choice{busy: busy})
	if db.IsDataError(err) {
		s.db.Log.ErrorContext(ctx, "claim batch failed, claiming one by one", "error", err)
		if err := s.putOffProbes(ctx, now); err != nil {
			return nil, 0, err
		}
		return s.ClaimEach(ctx, now, limit, busy)
	}
	return claims, n, err
}

// Claim claims the due messages of a choice in one transaction. It returns the
// claims, and how many messages were due.
func (s *Store) Claim(ctx context.Context, now time.Time, limit int, which Choice) ([]notify.Claim, int, error) {
	c, err := db.Returning(ctx, s.db, func(tx *db.Tx) (claimed, error) {
		states, err := channelStatesIn(ctx, tx)
		if err != nil {
			return claimed{}, err
		}
		which.held = holding(states)
		var probes []*DueMessage
		if which.only == 0 {
			if probes, err = dueProbes(ctx, tx, now, states); err != nil {
				return claimed{}, err
			}
		}
		due, err := DueMessages(ctx, tx, now, limit, which)
		due = append(probes, due...)
		if err != nil || len(due) == 0 {
			return claimed{}, err
		}
		if err := Subjects(ctx, tx, due); err != nil {
			return claimed{}, err
		}
		sending, withdrawn := splitAnswered(due)
		if err := withdraw(ctx, tx, withdrawn); err != nil {
			return claimed{}, err
		}
		if err := setAside(ctx, tx, sending); err != nil {
			return claimed{}, err
		}
		for _, f := range sending {
			f.Failing = slices.ContainsFunc(states, func(c notify.ChannelState) bool { return c.Medium == f.Medium })
		}
		claims, err := Lease(ctx, tx, sending, now)
		return claimed{claims, len(due)}, err
	})
	return c.claims, c.due, err
}

// claimed are the claims of one transaction, and how many messages were due.
type claimed struct {
	claims []notify.Claim
	due    int
}

// DueMessage is a message that may be claimed.
type DueMessage struct {
	notify.Claim
	incident sql.NullInt64
	lapsed   bool
}

const claimColumns = `SELECT m.id, m.kind, COALESCE(m.user_id, 0), COALESCE(m.contact_method_id, 0), m.medium, m.address, m.incident_number, m.body,
	m.attempts, m.state = '` + Sending + `', m.created_at, m.gathering FROM messages m WHERE `

// Choice narrows down what may be claimed.
type Choice struct {
	busy notify.Busy     // not claimed
	held []notify.Medium // whose messages wait
	only int64           // one message, 0 for all
}

// due is the choice as a condition on queued messages m.
func (c Choice) due() string {
	which := "1 = 1" + c.one()
	for _, m := range c.busy.Media {
		which += " AND m.medium <> '" + string(m) + "'"
	}
	if len(c.held) > 0 {
		which += " AND NOT (m." + waits + " AND " + ofMedia("m.", c.held) + ")"
	}
	return which
}

// free is the condition that no call is in progress to the address of a message m.
// next is the number of the first parameter.
func (c Choice) free(d *db.DB, next int) (string, []any) {
	if len(c.busy.Addresses) == 0 {
		return "", nil
	}
	if d.Dialect == db.Postgres {
		return fmt.Sprintf(" AND m.address <> ALL($%d)", next), []any{c.busy.Addresses}
	}
	where, args := db.InTexts("m.address", next, c.busy.Addresses)
	return " AND NOT (" + where + ")", args
}

func (c Choice) one() string {
	if c.only == 0 {
		return ""
	}
	return fmt.Sprintf(" AND m.id = %d", c.only)
}

// DueMessages locks messages to claim: those whose lease has ended, then those due to
// people, the most urgent first, then those due to chat channels. Served by
// messages_leased and messages_due.
func DueMessages(ctx context.Context, tx *db.Tx, now time.Time, limit int, which Choice) ([]*DueMessage, error) {
	lapsed, clock := leaseEnded(tx.DB, 1)
	all, err := scanMessages(ctx, tx, claimColumns+lapsed+which.one()+fmt.Sprintf(" ORDER BY m.id LIMIT %d", limit)+tx.DB.SkipLocked("m"), clock...)
	if err != nil {
		return nil, err
	}
	free, args := which.free(tx.DB, 3)
	toPeople, err := scanMessages(ctx, tx, claimColumns+"m.state = '"+Queued+"' AND m.due_at <= $1 AND m."+toPerson+" AND "+which.due()+free+
		" ORDER BY m.priority, m.due_at, m.id LIMIT $2"+tx.DB.SkipLocked("m"), append([]any{now, limit - len(all)}, args...)...)
	if err != nil {
		return nil, err
	}
	all = append(all, toPeople...)
	if len(all) >= limit {
		return all, nil
	}
	toChannels, err := dueToChannels(ctx, tx, now, limit-len(all), which.due())
	return append(all, toChannels...), err
}

// leaseEnded is the condition that the lease of a message m has ended, by the clock
// of leases. next is the number of a further parameter, should one be needed.
func leaseEnded(d *db.DB, next int) (string, []any) {
	if d.Dialect == db.Postgres {
		return "m.state = '" + Sending + "' AND m.lease_until < clock_timestamp()", nil
	}
	return fmt.Sprintf("m.state = '"+Sending+"' AND m.lease_until < $%d", next), []any{db.LeaseClock()}
}

func scanMessages(ctx context.Context, tx *db.Tx, query string, args ...any) ([]*DueMessage, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	defer rows.Close()
	var all []*DueMessage
	for rows.Next() {
		f := &DueMessage{}
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

// splitAnswered separates the messages to send from those whose pages were all
// answered.
func splitAnswered(all []*DueMessage) (sending, withdrawn []*DueMessage) {
	for _, f := range all {
		if f.Kind == notify.KindPage && len(f.Subjects) == 0 {
			withdrawn = append(withdrawn, f)
		} else {
			sending = append(sending, f)
		}
	}
	return sending, withdrawn
}

func withdraw(ctx context.Context, tx *db.Tx, messages []*DueMessage) error {
	for _, f := range messages {
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = '"+Withdrawn+"', due_at = NULL, lease_owner = NULL, lease_until = NULL WHERE id = $1", f.ID); err != nil {
			return fmt.Errorf("withdraw a message: %w", err)
		}
		if err := failLostAttempt(ctx, tx, f); err != nil {
			return err
		}
	}
	return nil
}

// failLostAttempt fails the attempt of a process that ended before it recorded a
// result.
func failLostAttempt(ctx context.Context, tx *db.Tx, f *DueMessage) error {
	if !f.lapsed {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET state = '`+Failed+`', finished_at = $1, again_next = true,
		error = 'The process that was sending it ended. It may have been sent.' WHERE message_id = $2 AND state = '`+Sending+`'`, tx.DB.Now(), f.ID)
	if err != nil {
		return fmt.Errorf("fail a lost attempt: %w", err)
	}
	return nil
}

// Lease commits "sending" and the attempt before the provider is called.
func Lease(ctx context.Context, tx *db.Tx, sending []*DueMessage, now time.Time) ([]notify.Claim, error) {
	claims := make([]notify.Claim, 0, len(sending))
	for _, f := range sending {
		if err := failLostAttempt(ctx, tx, f); err != nil {
			return nil, err
		}
		over := f.Number > notify.MaxAttempts && !f.lapsed
		if over {
			f.Number--
		}
		until, args := tx.DB.LeaseEnd(4, tx.DB.Owner, f.Number, f.ID)
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = '"+Sending+"', gathering = false, lease_owner = $1, attempts = $2, lease_until = "+until+" WHERE id = $3", args...); err != nil {
			return nil, fmt.Errorf("lease a message: %w", err)
		}
		again := f.Again
		if !again && f.Number > 1 {
			// A retry after a timeout may be a second send as well.
			if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM attempts WHERE message_id = $1 AND (again_next OR again))", f.ID).Scan(&again); err != nil {
				return nil, fmt.Errorf("read earlier attempts: %w", err)
			}
		}
		f.Again = again
		if over {
			if err := writeOverAttempt(ctx, tx, f, now); err != nil {
				return nil, err
			}
			claims = append(claims, f.Claim)
			continue
		}
		err := tx.QueryRowContext(ctx, `INSERT INTO attempts (message_id, number, state, again, again_next, provider_id, error, started_at)
			VALUES ($1, $2, '`+Sending+`', $3, $4, '', '', $5) RETURNING id`, f.ID, f.Number, again, false, now).Scan(&f.Attempt)
		if err != nil {
			return nil, fmt.Errorf("insert an attempt: %w", err)
		}
		claims = append(claims, f.Claim)
	}
	return claims, nil
}

// writeOverAttempt begins a further attempt in place of the last one that is kept.
func writeOverAttempt(ctx context.Context, tx *db.Tx, f *DueMessage, now time.Time) error {
	err := tx.QueryRowContext(ctx, `UPDATE attempts SET state = '`+Sending+`', again = $1, again_next = false, error = '', started_at = $2, finished_at = NULL
		WHERE message_id = $3 AND number = $4 RETURNING id`, f.Again, now, f.ID, f.Number).Scan(&f.Attempt)
	if err != nil {
		return fmt.Errorf("write over an attempt: %w", err)
	}
	return nil
}

// Renew implements notify.OutboxStore. It locks in the order of ids, as every
// writer does.
func (s *Store) Renew(ctx context.Context, sending []int64) ([]int64, error) {
	return db.Returning(ctx, s.db, func(tx *db.Tx) ([]int64, error) {
		where, args := s.db.In("id", 1, sending)
		owner := fmt.Sprintf("$%d", len(args)+1)
		mine, err := tx.Ints(ctx, "SELECT id FROM messages WHERE state = '"+Sending+"' AND "+where+" AND lease_owner = "+owner+" ORDER BY id"+s.db.ForUpdate(false), append(args, s.db.Owner)...)
		if err != nil || len(mine) == 0 {
			return nil, err
		}
		where, args = s.db.In("id", 1, mine)
		until, args := s.db.LeaseEnd(len(args)+1, args...)
		_, err = tx.ExecContext(ctx, "UPDATE messages SET lease_until = "+until+" WHERE "+where, args...)
		return mine, err
	})
}
