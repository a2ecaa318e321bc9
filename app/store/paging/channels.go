package paging

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// A transaction that takes the state of a channel takes it before escalations, pages and
// messages, but for messages that it skips where they are locked.

const channelColumns = "medium, failing_since, failed_at, broken_since, holds, reason, probe_at, told_at FROM channel_states"

func scanChannels(rows *sql.Rows, err error) ([]notify.ChannelState, error) {
	if err != nil {
		return nil, fmt.Errorf("read channel states: %w", err)
	}
	defer rows.Close()
	var all []notify.ChannelState
	for rows.Next() {
		var c notify.ChannelState
		if err := rows.Scan(&c.Medium, &c.FailingSince, &c.FailedAt, &c.BrokenSince, &c.Holds, &c.Reason, &c.ProbeAt, &c.ToldAt); err != nil {
			return nil, fmt.Errorf("read channel states: %w", err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// ChannelStates implements notify.OutageStore.
func (s *Store) ChannelStates(ctx context.Context) ([]notify.ChannelState, error) {
	rows, err := s.db.Read.QueryContext(ctx, "SELECT "+channelColumns+" ORDER BY medium")
	return scanChannels(rows, err)
}

// channelStatesIn reads the states of all channels inside a transaction.
func channelStatesIn(ctx context.Context, tx *db.Tx) ([]notify.ChannelState, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+channelColumns+" ORDER BY medium")
	return scanChannels(rows, err)
}

// lockChannels locks the states that a condition selects.
func lockChannels(ctx context.Context, tx *db.Tx, where string, args ...any) ([]notify.ChannelState, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+channelColumns+" WHERE "+where+" ORDER BY medium"+tx.DB.ForUpdate(false), args...)
	return scanChannels(rows, err)
}

// noteFailure records a failure of a channel and returns its state. The first failure of
// an outage has the administrators told.
func noteFailure(ctx context.Context, tx *db.Tx, m notify.Medium, f notify.Failure, now time.Time) (notify.ChannelState, error) {
	if _, err := tx.ExecContext(ctx, `INSERT INTO channel_states (medium, failing_since, failed_at, holds, reason) VALUES ($1, $2, $2, false, '')
		ON CONFLICT (medium) DO NOTHING`, m, now); err != nil {
		return notify.ChannelState{}, fmt.Errorf("record a channel's failure: %w", err)
	}
	found, err := lockChannels(ctx, tx, "medium = $1", m)
	if err != nil {
		return notify.ChannelState{}, err
	}
	if len(found) == 0 {
		return notify.ChannelState{}, db.ErrRaced // it works again, by another transaction
	}
	before, state := found[0], found[0].After(f, now)
	if state.Holds && state.ProbeAt == nil {
		probe := now.Add(notify.ProbeEvery)
		state.ProbeAt = &probe
	}
	if _, err := tx.ExecContext(ctx, `UPDATE channel_states SET failing_since = $1, failed_at = $2, broken_since = $3, holds = $4, reason = $5, probe_at = $6
		WHERE medium = $7`, state.FailingSince, state.FailedAt, state.BrokenSince, state.Holds, state.Reason, state.ProbeAt, m); err != nil {
		return state, fmt.Errorf("record a channel's failure: %w", err)
	}
	if before.BrokenSince == nil && state.BrokenSince != nil {
		tell := state.TellAt()
		if tell.Before(now) {
			tell = now
		}
		return state, tellBy(ctx, tx, tell)
	}
	return state, nil
}

// ChannelWorks implements notify.OutboxStore.
func (s *Store) ChannelWorks(ctx context.Context, m notify.Medium, now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		found, err := lockChannels(ctx, tx, "medium = $1", m)
		if err != nil || len(found) == 0 {
			return err
		}
		return endState(ctx, tx, found[0], notify.Works, now)
	})
}

// endState ends the state of a channel, which is locked, and has what waits for it due,
// and escalations that reached nobody too. Administrators who were told of the outage are
// told of its end.
func endState(ctx context.Context, tx *db.Tx, c notify.ChannelState, how notify.RecoveryHow, now time.Time) error {
	if err := WakeUnreached(ctx, tx, now); err != nil {
		return err
	}
	ids, err := tx.Ints(ctx, "SELECT id FROM messages WHERE "+held+" AND medium = $1 ORDER BY id"+tx.DB.ForUpdate(false), c.Medium)
	if err != nil {
		return fmt.Errorf("lock waiting messages: %w", err)
	}
	for some := range slices.Chunk(ids, 1000) {
		where, args := tx.DB.In("id", 2, some)
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET held_at = NULL, due_at = $1 WHERE "+held+" AND "+where, append([]any{now}, args...)...); err != nil {
			return fmt.Errorf("release waiting messages: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM channel_states WHERE medium = $1", c.Medium); err != nil {
		return fmt.Errorf("record a working channel: %w", err)
	}
	if c.ToldAt != nil {
		recovery := notify.Recovery{Medium: c.Medium, BrokenSince: *c.BrokenSince, EndedAt: now, How: how, Released: int64(len(ids))}
		if c.Holds && how == notify.Works {
			recovery.Released++ // the one that was tried
		}
		if err := tx.Gorm.Create(&recovery).Error; err != nil {
			return fmt.Errorf("record a channel's recovery: %w", err)
		}
		if err := tellBy(ctx, tx, now); err != nil {
			return err
		}
	}
	return tx.Publish(ctx, db.Wakeup{Work: db.ToSend})
}

// ProbeChannels is for settings that may be others than those that failed: each channel
// that holds messages is probed at once. The state ends of one for which no message
// waits, which nothing would try, and of one that is not configured any more: what waits
// for that fails, and its pages go by other methods.
func (s *Store) ProbeChannels(ctx context.Context, now time.Time, works func(notify.Medium) bool) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		states, err := lockChannels(ctx, tx, "1 = 1")
		if err != nil {
			return err
		}
		for _, c := range states {
			how := notify.Untried
			if !works(c.Medium) {
				how = notify.Removed
			}
			if how == notify.Removed || c.ProbeAt == nil {
				if err := endState(ctx, tx, c, how, now); err != nil {
					return err
				}
				continue
			}
			if _, err := tx.ExecContext(ctx, "UPDATE channel_states SET probe_at = $1 WHERE medium = $2 AND probe_at > $1", now, c.Medium); err != nil {
				return fmt.Errorf("probe a channel: %w", err)
			}
		}
		return tx.Publish(ctx, db.Wakeup{Work: db.ToSend})
	})
}

// held is the condition on messages that they wait for their channel.
const held = "held_at IS NOT NULL AND state = '" + Queued + "'"

// waits is the condition on messages that they are of a kind that waits.
var waits = func() string {
	var kinds []string
	for _, k := range []notify.Kind{notify.KindPage, notify.KindVerify, notify.KindReply, notify.KindNotice, notify.KindChannel} {
		if k.Waits() {
			kinds = append(kinds, "'"+string(k)+"'")
		}
	}
	return "kind IN (" + strings.Join(kinds, ", ") + ")"
}()

// ofMedia is the condition that a message's medium, of an alias with its dot or "", is
// one of some.
func ofMedia(alias string, media []notify.Medium) string {
	quoted := make([]string, len(media))
	for i, m := range media {
		quoted[i] = "'" + string(m) + "'"
	}
	return alias + "medium IN (" + strings.Join(quoted, ", ") + ")"
}

// holding are the media whose messages wait.
func holding(states []notify.ChannelState) []notify.Medium {
	var media []notify.Medium
	for _, c := range states {
		if c.Holds {
			media = append(media, c.Medium)
		}
	}
	return media
}

// Hold implements notify.OutboxStore.
func (s *Store) Hold(ctx context.Context, now time.Time, limit int, next func(int64) func([]int64) (notify.ContactMethod, bool)) (int, error) {
	states, err := s.ChannelStates(ctx)
	media := holding(states)
	if err != nil || len(media) == 0 {
		return 0, err
	}
	due, err := s.db.Ints(ctx, "SELECT id FROM messages WHERE state = '"+Queued+"' AND due_at <= $1 AND "+waits+" AND "+ofMedia("", media)+
		" ORDER BY priority, due_at, id LIMIT $2", now, limit)
	if err != nil {
		return 0, fmt.Errorf("read messages to hold: %w", err)
	}
	n := 0
	for _, id := range due {
		one, holdErr := s.holdOne(ctx, id, now, next)
		err = errors.Join(err, holdErr)
		n += one
	}
	return n, err
}

// holdOne has one message wait, and its pages go by the next contact method.
func (s *Store) holdOne(ctx context.Context, id int64, now time.Time, next func(int64) func([]int64) (notify.ContactMethod, bool)) (int, error) {
	return db.Returning(ctx, s.db, func(tx *db.Tx) (int, error) {
		found, err := lockChannels(ctx, tx, "holds AND medium = (SELECT medium FROM messages WHERE id = $1)", id)
		if err != nil || len(found) == 0 {
			return 0, err
		}
		if err := lockPagesOf(ctx, tx, id); err != nil {
			return 0, err
		}
		state := found[0]
		res, err := tx.ExecContext(ctx, "UPDATE messages SET held_at = $1, due_at = NULL, gathering = false, failure = $2 WHERE id = $3 AND state = '"+Queued+"' AND due_at <= $1",
			now, state.Reason, id)
		if err != nil {
			return 0, fmt.Errorf("hold a message: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return 0, nil
		}
		// Where nothing waited, the channel may work again: this one is tried at once.
		if _, err := tx.ExecContext(ctx, "UPDATE channel_states SET probe_at = $1 WHERE medium = $2 AND probe_at IS NULL", now, state.Medium); err != nil {
			return 0, fmt.Errorf("hold a message: %w", err)
		}
		var kind notify.Kind
		var user int64
		if err := tx.QueryRowContext(ctx, "SELECT kind, COALESCE(user_id, 0) FROM messages WHERE id = $1", id).Scan(&kind, &user); err != nil {
			return 0, fmt.Errorf("hold a message: %w", err)
		}
		if kind == notify.KindPage {
			if err := replaceHeld(ctx, tx, id); err != nil {
				return 0, err
			}
			if err := failOver(ctx, tx, id, next(user), now); err != nil {
				return 0, err
			}
		}
		return 1, tx.Publish(ctx, db.Wakeup{Work: db.ToSend})
	})
}

// replaced is the failure of a message that a repeat of it stands for.
const replaced = "A repeat is sent instead."

// replaceHeld withdraws earlier messages to the same contact method that wait and whose
// pages the given one has all: a repeat of them.
func replaceHeld(ctx context.Context, tx *db.Tx, id int64) error {
	earlier, err := tx.Ints(ctx, `SELECT o.id FROM messages o JOIN messages m ON m.id = $1
		WHERE o.held_at IS NOT NULL AND o.state = '`+Queued+`' AND o.medium = m.medium AND o.contact_method_id = m.contact_method_id AND o.id < m.id
		AND o.kind = m.kind AND NOT EXISTS (SELECT 1 FROM message_pages x JOIN pages p ON p.id = x.page_id AND p.`+Answerable+`
			WHERE x.message_id = o.id AND x.page_id NOT IN (SELECT page_id FROM message_pages WHERE message_id = $1))
		ORDER BY o.id`+tx.DB.SkipLocked("o"), id)
	if err != nil || len(earlier) == 0 {
		return err
	}
	where, args := tx.DB.In("id", 1, earlier)
	if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = '"+Withdrawn+"', due_at = NULL, failure = '"+replaced+"' WHERE "+held+" AND "+where, args...); err != nil {
		return fmt.Errorf("withdraw a repeated message: %w", err)
	}
	return nil
}

// withdrawRepeated withdraws a message that waits again, where a repeat of it was queued
// while it was tried.
func withdrawRepeated(ctx context.Context, tx *db.Tx, id int64) error {
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET state = '`+Withdrawn+`', due_at = NULL, failure = '`+replaced+`' WHERE id = $1 AND `+held+`
		AND EXISTS (SELECT 1 FROM messages m WHERE m.contact_method_id = messages.contact_method_id AND m.medium = messages.medium AND m.kind = messages.kind
			AND m.id > messages.id AND m.state = '`+Queued+`'
			AND NOT EXISTS (SELECT 1 FROM message_pages x JOIN pages p ON p.id = x.page_id AND p.`+Answerable+`
				WHERE x.message_id = messages.id AND x.page_id NOT IN (SELECT page_id FROM message_pages WHERE message_id = m.id)))`, id); err != nil {
		return fmt.Errorf("withdraw a repeated message: %w", err)
	}
	return nil
}

// FallOver implements notify.OutboxStore.
func (s *Store) FallOver(ctx context.Context, c notify.Claim, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := lockPagesOf(ctx, tx, c.ID); err != nil {
			return err
		}
		mine, err := tx.Ints(ctx, "SELECT id FROM messages WHERE id = $1 AND state = '"+Sending+"' AND lease_owner = $2 AND attempts = $3"+tx.DB.ForUpdate(false), c.ID, s.db.Owner, c.Number)
		if err != nil || len(mine) == 0 {
			return err
		}
		if err := failOver(ctx, tx, c.ID, next, now); err != nil {
			return err
		}
		return tx.Publish(ctx, db.Wakeup{Work: db.ToSend})
	})
}

// dueProbes locks, for each channel whose probe is due, the message that has waited
// longest since it was last tried, and sets the time of the next probe.
func dueProbes(ctx context.Context, tx *db.Tx, now time.Time, states []notify.ChannelState) ([]*DueMessage, error) {
	var due []notify.Medium
	for _, c := range states { // channels come before messages in the order of locks
		if !c.Holds || c.ProbeAt == nil || c.ProbeAt.After(now) {
			continue
		}
		taken, err := tx.Ints(ctx, "UPDATE channel_states SET probe_at = $1 WHERE medium = $2 AND holds AND probe_at <= $3 RETURNING 1", now.Add(notify.ProbeEvery), c.Medium, now)
		if err != nil {
			return nil, fmt.Errorf("take a probe: %w", err)
		}
		if len(taken) > 0 { // else another process takes it
			due = append(due, c.Medium)
		}
	}
	var all []*DueMessage
	for _, m := range due {
		found, err := scanMessages(ctx, tx, claimColumns+"m."+held+" AND m.medium = $1"+longestUntried+tx.DB.SkipLocked("m"), m)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 { // or what waits is locked
			if _, err := tx.ExecContext(ctx, "UPDATE channel_states SET probe_at = NULL WHERE medium = $1 AND NOT EXISTS (SELECT 1 FROM messages m WHERE m."+held+" AND m.medium = $1)", m); err != nil {
				return nil, fmt.Errorf("take a probe: %w", err)
			}
		}
		all = append(all, found...)
	}
	return all, nil
}

// longestUntried picks the waiting message m that was last tried before the others.
const longestUntried = " ORDER BY m.held_at, m.id LIMIT 1"

// putOffProbes is for probes that could not be claimed, perhaps because of a message's
// data: the next ones try other messages.
func (s *Store) putOffProbes(ctx context.Context, now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		states, err := lockChannels(ctx, tx, "holds AND probe_at <= $1", now)
		if err != nil {
			return err
		}
		for _, c := range states {
			if _, err := tx.ExecContext(ctx, "UPDATE channel_states SET probe_at = $1 WHERE medium = $2", now.Add(notify.ProbeEvery), c.Medium); err != nil {
				return fmt.Errorf("put off a probe: %w", err)
			}
		}
		for _, c := range states {
			if _, err := tx.ExecContext(ctx, "UPDATE messages SET held_at = $1 WHERE id = (SELECT m.id FROM messages m WHERE m."+held+" AND m.medium = $2"+longestUntried+tx.DB.SkipLocked("m")+")", now, c.Medium); err != nil {
				return fmt.Errorf("put off a probe: %w", err)
			}
		}
		return nil
	})
}

// endHeld fails messages that wait for their channel once the steps of all their pages
// are over.
func endHeld(ctx context.Context, tx *db.Tx, escalations []int64) error {
	where, args := tx.DB.In("p.escalation_id", 1, escalations)
	over, err := tx.Ints(ctx, `SELECT m.id FROM messages m WHERE m.held_at IS NOT NULL AND m.state = '`+Queued+`'
		AND EXISTS (SELECT 1 FROM message_pages x JOIN pages p ON p.id = x.page_id WHERE x.message_id = m.id AND `+where+`)
		AND NOT EXISTS (SELECT 1 FROM message_pages x JOIN pages p ON p.id = x.page_id WHERE x.message_id = m.id AND p.state = '`+Active+`')
		ORDER BY m.id`+tx.DB.SkipLocked("m"), args...)
	if err != nil || len(over) == 0 {
		return err
	}
	where, args = tx.DB.In("id", 1, over)
	if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = '"+Failed+"' WHERE "+held+" AND "+where, args...); err != nil {
		return fmt.Errorf("end waiting messages: %w", err)
	}
	return nil
}
