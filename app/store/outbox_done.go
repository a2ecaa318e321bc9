package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	err := db.inTx(ctx, func(tx *Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE messages SET state = $1, provider_id = $2, sent_at = $3, failure = '', due_at = NULL, lease_owner = NULL, lease_until = NULL,
			body = CASE WHEN kind = 'verify' THEN '' ELSE body END -- a code is kept no longer than it must be
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
		return nil
	})
	if err == nil {
		db.showProgress(ctx, c.ID)
	}
	return err
}

// showProgress has live pages look at the incidents of a message again. It is
// no part of the record: waiting for the locks of incidents must not cost it.
func (db *DB) showProgress(ctx context.Context, message int64) {
	err := db.inTx(ctx, func(tx *Tx) error {
		numbers, err := scanInts(tx.QueryContext(ctx, `SELECT DISTINCT p.incident_number FROM pages p JOIN message_pages mp ON mp.page_id = p.id WHERE mp.message_id = $1 ORDER BY 1 LIMIT $2`, message, mostBumped+1))
		if err != nil || len(numbers) == 0 {
			return err
		}
		if len(numbers) > mostBumped {
			return tx.tell(ctx, News{Changes: []Change{{}}})
		}
		if err := tx.lockNumbers(ctx, numbers); err != nil {
			return err
		}
		changed, err := tx.bump(ctx, numbers)
		if err != nil {
			return err
		}
		return tx.tell(ctx, News{Changes: changed})
	})
	if err != nil && ctx.Err() == nil {
		db.log.WarnContext(ctx, "live pages were not told of a message's progress", "message", message, "error", err)
	}
}

// Failed implements notify.OutboxStore.
func (db *DB) Failed(ctx context.Context, c notify.Claim, f notify.Failure, retry *time.Time, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockPagesOf(ctx, c.ID); err != nil {
			return err
		}
		retry, overtaken := retry, false
		if retry != nil && c.Kind == notify.KindChannel {
			var err error
			if overtaken, err = tx.overtaken(ctx, c); err != nil {
				return err
			}
		}
		state := "failed"
		switch {
		case overtaken:
			retry, state = nil, "withdrawn"
		case retry != nil:
			state = "queued"
		}
		res, err := tx.ExecContext(ctx, `UPDATE messages SET state = $1, due_at = $2, failure = $3, lease_owner = NULL, lease_until = NULL
			WHERE id = $4 AND state = 'sending' AND lease_owner = $5 AND attempts = $6`, state, retry, f.Reason, c.ID, db.Owner, c.Number)
		if err != nil {
			if isDuplicate(err) {
				return errRaced // a newer message to the channel came in between
			}
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
		if state == "failed" {
			if err := tx.afterLoss(ctx, c.ID, c.Kind, next, now); err != nil {
				return err
			}
			work |= ToTime
		}
		return tx.tell(ctx, News{Work: work})
	})
	if err == nil {
		db.showProgress(ctx, c.ID)
	}
	return err
}

// overtaken reports whether a newer chat message waits, which will say all that
// this one would, and has it carry what this one carried.
func (tx *Tx) overtaken(ctx context.Context, c notify.Claim) (bool, error) {
	newer, err := scanInts(tx.QueryContext(ctx, `SELECT o.id FROM messages o JOIN messages m ON m.id = $1
		WHERE o.kind = 'channel' AND o.state = 'queued' AND o.address = m.address AND o.incident_number = m.incident_number`, c.ID))
	if err != nil {
		return false, fmt.Errorf("look for a newer message: %w", err)
	}
	if len(newer) == 0 {
		return false, nil
	}
	if _, err := tx.ExecContext(ctx, "UPDATE messages SET carried_by = $1 WHERE carried_by = $2", newer[0], c.ID); err != nil {
		return false, fmt.Errorf("hand over to a newer message: %w", err)
	}
	return true, nil
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

// fallOver sends the pages of a lost message by their next contact method. Each
// page has its own: what carried it, or is about to, is not tried again.
func (tx *Tx) fallOver(ctx context.Context, id int64, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	tried, err := tx.triedBy(ctx, id)
	if err != nil || len(tried) == 0 {
		return err
	}
	var urgency string
	var priority int
	if err := tx.QueryRowContext(ctx, "SELECT urgency, priority FROM messages WHERE id = $1", id).Scan(&urgency, &priority); err != nil {
		return fmt.Errorf("fall over: %w", err)
	}
	var messages []notify.NewMessage
	var stranded []int64
	for _, page := range slices.Sorted(maps.Keys(tried)) {
		method, ok := next(tried[page])
		if !ok {
			stranded = append(stranded, page)
			continue
		}
		i := slices.IndexFunc(messages, func(m notify.NewMessage) bool { return m.Method.ID == method.ID })
		if i < 0 {
			i = len(messages)
			messages = append(messages, notify.NewMessage{Method: method, Urgency: urgency, Priority: priority, DueAt: now})
		}
		messages[i].Pages = append(messages[i].Pages, page)
	}
	if err := tx.insertFallbacks(ctx, id, messages, now); err != nil {
		return err
	}
	lost, err := tx.lostPages(ctx, stranded)
	if err != nil {
		return err
	}
	return tx.failPages(ctx, now, lost)
}

func (tx *Tx) insertFallbacks(ctx context.Context, of int64, messages []notify.NewMessage, now time.Time) error {
	ids, err := tx.insertMessages(ctx, now, messages)
	if err != nil {
		return err
	}
	var into, pages []int64
	for i, m := range messages {
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET fallback_of = $1 WHERE id = $2", of, ids[i]); err != nil {
			return fmt.Errorf("fall over: %w", err)
		}
		for _, page := range m.Pages {
			into, pages = append(into, ids[i]), append(pages, page)
		}
	}
	if err := tx.insertRows(ctx, "message_pages", len(pages), "", col("message_id", "bigint", into), col("page_id", "bigint", pages)); err != nil {
		return fmt.Errorf("fall over: %w", err)
	}
	return nil
}

// triedBy lists, for each page of a message that still waits for an answer, the
// contact methods of this round: those of messages that failed or are on their
// way, and those that arrived since the one that is lost was made.
func (tx *Tx) triedBy(ctx context.Context, id int64) (map[int64][]int64, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT p.id, o.contact_method_id FROM message_pages mine
		JOIN messages lost ON lost.id = mine.message_id
		JOIN pages p ON p.id = mine.page_id AND p.state = 'active'
		JOIN message_pages mp ON mp.page_id = p.id
		JOIN messages o ON o.id = mp.message_id
		WHERE mine.message_id = $1 AND (o.state IN ('failed', 'queued', 'sending') OR o.created_at >= lost.created_at)
		GROUP BY p.id, o.contact_method_id`, id)
	if err != nil {
		return nil, fmt.Errorf("read what was tried: %w", err)
	}
	defer rows.Close()
	tried := map[int64][]int64{}
	for rows.Next() {
		var page, method int64
		if err := rows.Scan(&page, &method); err != nil {
			return nil, fmt.Errorf("read what was tried: %w", err)
		}
		tried[page] = append(tried[page], method)
	}
	return tried, rows.Err()
}

// lostPages are those for which no message is on its way or has arrived.
func (tx *Tx) lostPages(ctx context.Context, pages []int64) ([]int64, error) {
	if len(pages) == 0 {
		return nil, nil
	}
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
	// An owner who is asked is paged outside any escalation.
	escalations = slices.DeleteFunc(escalations, func(id int64) bool { return id == 0 })
	slices.Sort(escalations)
	escalations = slices.Compact(escalations)
	err = tx.insertRows(ctx, "timers", len(escalations), setAnew,
		colOf("kind", "text", escalations, func(*int64) string { return TimerPassOver }),
		colOf("subject", "bigint", escalations, func(id *int64) int64 { return *id }),
		colOf("occurrence", "bigint", escalations, func(*int64) int64 { return 0 }),
		colOf("due_at", "timestamptz", escalations, func(*int64) time.Time { return now }))
	if err != nil {
		return fmt.Errorf("have steps looked at: %w", err)
	}
	return nil
}

// setAnew has a timer that is there already due at another time. Whoever carries
// it out loses its lease, so that it is carried out again.
const setAnew = `ON CONFLICT (kind, subject, occurrence) DO UPDATE SET due_at = excluded.due_at, tries = 0, lease_owner = NULL, lease_until = NULL`

// setTimer sets the one timer of a kind that a subject has.
func (tx *Tx) setTimer(ctx context.Context, kind string, subject int64, due time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO timers (kind, subject, occurrence, due_at) VALUES ($1, $2, 0, $3)
		`+setAnew, kind, subject, due)
	if err != nil {
		return fmt.Errorf("set a timer: %w", err)
	}
	return nil
}

// noteChannelFailed tells on the timeline of each incident that a post to a
// chat channel was about that the channel does not know of it.
func (tx *Tx) noteChannelFailed(ctx context.Context, id int64, now time.Time) error {
	var address, reason string
	if err := tx.QueryRowContext(ctx, "SELECT address, failure FROM messages WHERE id = $1", id).Scan(&address, &reason); err != nil {
		return fmt.Errorf("note that a channel could not be told: %w", err)
	}
	numbers, err := scanInts(tx.QueryContext(ctx, "SELECT DISTINCT incident_number FROM messages WHERE (id = $1 OR carried_by = $1) AND incident_number IS NOT NULL ORDER BY 1", id))
	if err != nil {
		return fmt.Errorf("read what a channel was to be told of: %w", err)
	}
	data := []byte(asJSON(incident.Detail{To: address, Text: reason}))
	events := make([]incident.TimelineEvent, len(numbers))
	for i, n := range numbers {
		events[i] = incident.TimelineEvent{IncidentNo: n, At: now, Kind: incident.EvChannelFailed, Actor: incident.Tocsin, Data: data}
	}
	return tx.insertEvents(ctx, events)
}

// mostBumped bounds how many incidents one message's progress is shown on at
// once; beyond it, live pages are told to look for themselves.
const mostBumped = 20

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
//
// next is called inside a transaction and must not ask the database.
func (db *DB) Report(ctx context.Context, attempt int64, state, providerID, reason string, next func(userID int64) func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	var message int64
	err := db.inTx(ctx, func(tx *Tx) error {
		var user int64
		var kind notify.Kind
		err := tx.QueryRowContext(ctx, `SELECT m.id, COALESCE(m.user_id, 0), m.kind FROM attempts a JOIN messages m ON m.id = a.message_id WHERE a.id = $1`, attempt).Scan(&message, &user, &kind)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("There is no attempt with number %d.", attempt)
		}
		if err != nil {
			return fmt.Errorf("read an attempt: %w", err)
		}
		if err := tx.lockPagesOf(ctx, message); err != nil {
			return err
		}
		// The message first: its row is what the sender's record waits for.
		var current string
		if err := tx.QueryRowContext(ctx, "SELECT state FROM messages WHERE id = $1"+db.forUpdate(false), message).Scan(&current); err != nil {
			return fmt.Errorf("lock a message: %w", err)
		}
		from, ofMessage := forward(state)
		if from == "" {
			return nil // an intermediate state that tells us nothing
		}
		res, err := tx.ExecContext(ctx, "UPDATE attempts SET state = $1, error = $2, provider_id = CASE WHEN provider_id = '' THEN $3 ELSE provider_id END WHERE id = $4 AND "+from, state, reason, providerID, attempt)
		if err != nil {
			return fmt.Errorf("record a report: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE messages SET state = $1, failure = $2, due_at = NULL, lease_owner = NULL, lease_until = NULL,
			sent_at = COALESCE(sent_at, $3) WHERE id = $4 AND `+ofMessage, state, reason, now, message); err != nil {
			return fmt.Errorf("record a report: %w", err)
		}
		work := Work(0)
		if state == "failed" {
			if err := tx.afterLoss(ctx, message, kind, next(user), now); err != nil {
				return err
			}
			work = ToSend | ToTime
		}
		return tx.tell(ctx, News{Work: work})
	})
	if err == nil {
		db.showProgress(ctx, message)
	}
	return err
}

// forward are the states of an attempt, and of its message, from which a report
// moves them on. A message whose attempt timed out, and which waits to be sent
// again, was delivered after all.
func forward(state string) (attempt, message string) {
	switch state {
	case "sent":
		return "state = 'sending'", "state = 'sending'"
	case "delivered":
		return "(state IN ('sending', 'sent') OR state = 'failed' AND again_next)", "state IN ('sending', 'sent', 'queued')"
	case "failed":
		return "state IN ('sending', 'sent')", "state IN ('sending', 'sent')"
	}
	return "", ""
}

func whyInWords(data string) string {
	var w escalation.Why
	if json.Unmarshal([]byte(data), &w) != nil {
		return ""
	}
	return w.Sentence()
}
