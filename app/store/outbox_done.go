package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Sent implements notify.OutboxStore. A receipt that came by callback before
// this commit is not undone.
func (db *DB) Sent(ctx context.Context, c notify.Claim, r notify.Receipt, now time.Time) error {
	state := "sent"
	if r.Delivered {
		state = "delivered"
	}
	return db.inTx(ctx, func(tx *Tx) error {
		changed, err := tx.bumpMessage(ctx, c.ID)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE messages SET state = $1, provider_id = $2, sent_at = $3, failure = '', due_at = NULL, lease_owner = NULL, lease_until = NULL
			WHERE id = $4 AND state = 'sending' AND lease_owner = $5 AND attempts = $6`, state, r.ProviderID, now, c.ID, db.Owner, c.Number)
		if err != nil {
			return fmt.Errorf("record a send: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			if _, err := tx.ExecContext(ctx, "UPDATE messages SET provider_id = $1 WHERE id = $2 AND provider_id = ''", r.ProviderID, c.ID); err != nil {
				return fmt.Errorf("record a send: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE attempts SET provider_id = $1, finished_at = $2,
			state = CASE WHEN state = 'sending' THEN $3 ELSE state END WHERE id = $4`, r.ProviderID, now, state, c.Attempt); err != nil {
			return fmt.Errorf("record a send: %w", err)
		}
		return tx.tell(ctx, News{Changes: changed})
	})
}

// Failed implements notify.OutboxStore.
func (db *DB) Failed(ctx context.Context, c notify.Claim, f notify.Failure, retry *time.Time, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		changed, err := tx.bumpMessage(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := tx.lockPagesOf(ctx, c.ID); err != nil {
			return err
		}
		if retry != nil && c.Kind == notify.KindChannel {
			if retry, err = tx.unlessOvertaken(ctx, c, retry); err != nil {
				return err
			}
		}
		state := "failed"
		if retry != nil {
			state = "queued"
		}
		res, err := tx.ExecContext(ctx, `UPDATE messages SET state = $1, due_at = $2, failure = $3, lease_owner = NULL, lease_until = NULL
			WHERE id = $4 AND state = 'sending' AND lease_owner = $5 AND attempts = $6`, state, retry, f.Reason, c.ID, db.Owner, c.Number)
		if err != nil {
			return fmt.Errorf("record a failure: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE attempts SET state = 'failed', again_next = $1, error = $2, finished_at = $3 WHERE id = $4 AND state = 'sending'",
			f.Uncertain, f.Reason, now, c.Attempt); err != nil {
			return fmt.Errorf("record a failure: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return nil // the lease has passed on, and with it the decision
		}
		work := ToSend
		if retry == nil {
			if err := tx.afterLoss(ctx, c.ID, c.Kind, next, now); err != nil {
				return err
			}
			work |= ToTime
		}
		return tx.tell(ctx, News{Work: work, Changes: changed})
	})
}

// unlessOvertaken gives up a chat message's retry where a newer one waits,
// which will say all that this one would.
func (tx *Tx) unlessOvertaken(ctx context.Context, c notify.Claim, retry *time.Time) (*time.Time, error) {
	var newer bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM messages o JOIN messages m ON m.id = $1
		WHERE o.kind = 'channel' AND o.state = 'queued' AND o.address = m.address AND o.incident_number = m.incident_number)`, c.ID).Scan(&newer)
	if err != nil {
		return nil, fmt.Errorf("look for a newer message: %w", err)
	}
	if newer {
		return nil, nil
	}
	return retry, nil
}

// afterLoss sees to what a message that failed for good was about: its pages
// fall over to the next contact method, or are failed where there is none left.
func (tx *Tx) afterLoss(ctx context.Context, id int64, kind notify.Kind, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	switch kind {
	case notify.KindPage:
		return tx.fallOver(ctx, id, next, now)
	case notify.KindChannel:
		return tx.noteChannelFailed(ctx, id, now)
	default:
		return nil
	}
}

func (tx *Tx) fallOver(ctx context.Context, id int64, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	pages, err := scanInts(tx.QueryContext(ctx, `SELECT p.id FROM pages p JOIN message_pages mp ON mp.page_id = p.id
		WHERE mp.message_id = $1 AND p.state = 'active' ORDER BY p.id`, id))
	if err != nil || len(pages) == 0 {
		return err
	}
	// What any of the pages was sent by already needs no second try.
	where, args := tx.db.in("mp.page_id", 1, pages)
	tried, err := scanInts(tx.QueryContext(ctx, `SELECT DISTINCT m.contact_method_id FROM messages m JOIN message_pages mp ON mp.message_id = m.id WHERE `+where, args...))
	if err != nil {
		return fmt.Errorf("read what was tried: %w", err)
	}
	if method, ok := next(tried); ok {
		var urgency string
		var priority int
		if err := tx.QueryRowContext(ctx, "SELECT urgency, priority FROM messages WHERE id = $1", id).Scan(&urgency, &priority); err != nil {
			return fmt.Errorf("fall over: %w", err)
		}
		ids, err := tx.insertMessages(ctx, now, []notify.NewMessage{{Method: method, Urgency: urgency, Priority: priority, DueAt: now}})
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET fallback_of = $1 WHERE id = $2", id, ids[0]); err != nil {
			return fmt.Errorf("fall over: %w", err)
		}
		same := make([]int64, len(pages))
		for i := range same {
			same[i] = ids[0]
		}
		_, err = tx.insertRows(ctx, "message_pages", len(pages), "", col("message_id", "bigint", same), col("page_id", "bigint", pages))
		return err
	}
	lost, err := tx.lostPages(ctx, pages)
	if err != nil {
		return err
	}
	return tx.failPages(ctx, now, lost)
}

// lostPages are those for which no message is on its way or has arrived.
func (tx *Tx) lostPages(ctx context.Context, pages []int64) ([]int64, error) {
	where, args := tx.db.in("p.id", 1, pages)
	return scanInts(tx.QueryContext(ctx, `SELECT p.id FROM pages p WHERE NOT EXISTS (
		SELECT 1 FROM message_pages mp JOIN messages m ON m.id = mp.message_id
		WHERE mp.page_id = p.id AND m.state IN ('queued', 'sending', 'sent', 'delivered')) AND `+where+" ORDER BY p.id", args...))
}

// TimerPassOver is the timer that looks whether a step has reached anybody; it is
// its own transaction, since it locks the incident first.
const TimerPassOver = "pass_over"

// failPages ends pages that cannot reach their person, and has their steps
// looked at.
func (tx *Tx) failPages(ctx context.Context, now time.Time, pages []int64) error {
	if len(pages) == 0 {
		return nil
	}
	where, args := tx.db.in("id", 2, pages)
	escalations, err := scanInts(tx.QueryContext(ctx, "UPDATE pages SET state = 'failed', notify_at = NULL, ended_at = $1 WHERE "+where+" RETURNING escalation_id",
		append([]any{now}, args...)...))
	if err != nil {
		return fmt.Errorf("fail pages: %w", err)
	}
	for _, id := range escalations {
		if err := tx.setTimer(ctx, TimerPassOver, id, now); err != nil {
			return err
		}
	}
	return nil
}

// setTimer sets the one timer of a kind that a subject has.
func (tx *Tx) setTimer(ctx context.Context, kind string, subject int64, due time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO timers (kind, subject, occurrence, due_at) VALUES ($1, $2, 0, $3)
		ON CONFLICT (kind, subject, occurrence) DO UPDATE SET due_at = excluded.due_at`, kind, subject, due)
	if err != nil {
		return fmt.Errorf("set a timer: %w", err)
	}
	return nil
}

func (tx *Tx) noteChannelFailed(ctx context.Context, id int64, now time.Time) error {
	var number sql.NullInt64
	var address, reason string
	if err := tx.QueryRowContext(ctx, "SELECT incident_number, address, failure FROM messages WHERE id = $1", id).Scan(&number, &address, &reason); err != nil {
		return fmt.Errorf("note that a channel could not be told: %w", err)
	}
	if !number.Valid {
		return nil
	}
	data, err := json.Marshal(incident.Detail{To: address, Text: reason})
	if err != nil {
		return err
	}
	return tx.insertEvents(ctx, []incident.TimelineEvent{{IncidentNo: number.Int64, At: now, Kind: incident.EvChannelFailed, Actor: incident.Tocsin, Data: data}})
}

// mostBumped bounds how many incidents one message's progress is shown on at
// once; beyond it, live pages are told to look for themselves.
const mostBumped = 20

// bumpMessage raises the version of the incidents that a message is about. It
// comes first in its transaction, since incidents are locked before messages.
func (tx *Tx) bumpMessage(ctx context.Context, id int64) ([]Change, error) {
	numbers, err := scanInts(tx.QueryContext(ctx, `SELECT DISTINCT p.incident_number FROM pages p JOIN message_pages mp ON mp.page_id = p.id WHERE mp.message_id = $1 LIMIT $2`, id, mostBumped+1))
	if err != nil {
		return nil, fmt.Errorf("read what a message is about: %w", err)
	}
	if len(numbers) > mostBumped {
		return []Change{{}}, nil
	}
	return tx.bump(ctx, numbers)
}

// lockPagesOf locks a message's pages, which come before messages in the order
// of locks.
func (tx *Tx) lockPagesOf(ctx context.Context, id int64) error {
	_, err := scanInts(tx.QueryContext(ctx, "SELECT id FROM pages WHERE id IN (SELECT page_id FROM message_pages WHERE message_id = $1) ORDER BY id"+tx.db.forUpdate(false), id))
	if err != nil {
		return fmt.Errorf("lock the pages of a message: %w", err)
	}
	return nil
}

// Report keeps what a provider says later of an attempt. It may come before
// our own commit, twice or late; states only move forward, and a message that
// is found undelivered after all falls over.
func (db *DB) Report(ctx context.Context, attempt int64, state, providerID, reason string, next func(userID int64) func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		var message, user int64
		var kind notify.Kind
		err := tx.QueryRowContext(ctx, `SELECT m.id, COALESCE(m.user_id, 0), m.kind FROM attempts a JOIN messages m ON m.id = a.message_id WHERE a.id = $1`, attempt).Scan(&message, &user, &kind)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("There is no attempt with number %d.", attempt)
		}
		if err != nil {
			return fmt.Errorf("read an attempt: %w", err)
		}
		changed, err := tx.bumpMessage(ctx, message)
		if err != nil {
			return err
		}
		if err := tx.lockPagesOf(ctx, message); err != nil {
			return err
		}
		// The message first: its row is what the sender's record waits for.
		var current string
		if err := tx.QueryRowContext(ctx, "SELECT state FROM messages WHERE id = $1"+db.forUpdate(false), message).Scan(&current); err != nil {
			return fmt.Errorf("lock a message: %w", err)
		}
		from := map[string]string{"sent": "('sending')", "delivered": "('sending', 'sent')", "failed": "('sending', 'sent')"}[state]
		if from == "" {
			return nil // an intermediate state that tells us nothing
		}
		res, err := tx.ExecContext(ctx, "UPDATE attempts SET state = $1, error = $2, provider_id = CASE WHEN provider_id = '' THEN $3 ELSE provider_id END WHERE id = $4 AND state IN "+from, state, reason, providerID, attempt)
		if err != nil {
			return fmt.Errorf("record a report: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE messages SET state = $1, failure = $2, due_at = NULL, lease_owner = NULL, lease_until = NULL,
			sent_at = COALESCE(sent_at, $3) WHERE id = $4 AND state IN `+from, state, reason, now, message); err != nil {
			return fmt.Errorf("record a report: %w", err)
		}
		work := Work(0)
		if state == "failed" {
			if err := tx.afterLoss(ctx, message, kind, next(user), now); err != nil {
				return err
			}
			work = ToSend | ToTime
		}
		return tx.tell(ctx, News{Work: work, Changes: changed})
	})
}

func whyInWords(data string) string {
	var w escalation.Why
	if json.Unmarshal([]byte(data), &w) != nil {
		return ""
	}
	return w.Sentence()
}
