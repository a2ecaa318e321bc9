package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// ContactByAddress finds the verified contact method, of a person who is
// active, that an address belongs to; one that is switched off too. NotFound
// says that it is nobody's. Where several share it, the one that was sent to
// last is meant.
func (db *DB) ContactByAddress(ctx context.Context, medium notify.Medium, address string) (notify.ContactMethod, error) {
	var found []notify.ContactMethod
	err := db.reading(ctx).Table("contact_methods AS c").Select("c.*").
		Where("c.medium = ? AND c.address = ? AND c.verified_at IS NOT NULL AND EXISTS (SELECT 1 FROM users u WHERE u.id = c.user_id AND u.active)", medium, address).
		Order("(SELECT COALESCE(max(m.id), 0) FROM messages m WHERE m.user_id = c.user_id AND m.contact_method_id = c.id AND m.attempts > 0) DESC, c.id").
		Limit(1).Scan(&found).Error
	if err != nil {
		return notify.ContactMethod{}, fmt.Errorf("find whose address it is: %w", err)
	}
	if len(found) == 0 {
		return notify.ContactMethod{}, fault.NotFound("This address is nobody's here.")
	}
	return found[0], nil
}

// PagedBy are the open incidents that the owner of a contact method was paged
// for by it and that wait for an answer: nobody has acknowledged them, or the
// owner is asked whether they are still on it. With theirs they are also those
// that the owner has acknowledged. The newest come first; of all that total
// counts, there are at most limit. Served by incidents_open and pages_incident.
func (db *DB) PagedBy(ctx context.Context, method notify.ContactMethod, theirs bool, limit int) (rows []incident.Row, total int, err error) {
	waiting := func(g *gorm.DB) *gorm.DB {
		return g.Where("i.status <> 'resolved'").
			Where("(i.status = 'triggered' OR i.owner_id = ? AND (? OR i.asked_at IS NOT NULL))", method.UserID, theirs).
			Where(`EXISTS (SELECT 1 FROM pages pg JOIN message_pages mp ON mp.page_id = pg.id JOIN messages m ON m.id = mp.message_id
				WHERE pg.incident_number = i.number AND pg.user_id = ? AND m.contact_method_id = ? AND m.attempts > 0)`, method.UserID, method.ID)
	}
	if err := waiting(db.incidentRows(ctx)).Order("i.number DESC").Limit(limit).Scan(&rows).Error; err != nil {
		return nil, 0, fmt.Errorf("read what somebody was paged for: %w", err)
	}
	if len(rows) < limit {
		return rows, len(rows), nil
	}
	var count int64
	if err := waiting(db.reading(ctx).Table("incidents AS i")).Count(&count).Error; err != nil {
		return nil, 0, fmt.Errorf("count what somebody was paged for: %w", err)
	}
	return rows, max(int(count), len(rows)), nil
}

// LastListed are the incidents that the last page by a contact method told of,
// lowest number first. What was answered before the message left was not in it.
func (db *DB) LastListed(ctx context.Context, method notify.ContactMethod) ([]int64, error) {
	var message int64
	err := db.read.QueryRowContext(ctx, db.rebind(`SELECT id FROM messages WHERE user_id = $1 AND contact_method_id = $2 AND kind = 'page' AND attempts > 0
		ORDER BY COALESCE(sent_at, created_at) DESC, id DESC LIMIT 1`), method.UserID, method.ID).Scan(&message)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the last message: %w", err)
	}
	numbers, err := scanInts(db.read.QueryContext(ctx, db.rebind(`SELECT DISTINCT p.incident_number FROM message_pages mp JOIN pages p ON p.id = mp.page_id
		WHERE mp.message_id = $1 AND (p.ended_at IS NULL OR p.state = 'superseded' OR p.ended_at >= (SELECT min(a.started_at) FROM attempts a WHERE a.message_id = $1))
		ORDER BY p.incident_number`), message))
	if err != nil {
		return nil, fmt.Errorf("read what the last message listed: %w", err)
	}
	return numbers, nil
}

// SwitchContact switches a contact method off, or on again, and reports whether
// it was otherwise before.
func (db *DB) SwitchContact(ctx context.Context, by auth.Actor, method notify.ContactMethod, on bool) (changed bool, err error) {
	return committed(ctx, db, func(tx *Tx) (bool, error) {
		if err := tx.changeConfiguration(ctx); err != nil {
			return false, err
		}
		now := db.Now()
		disabled, action := &now, "contact.disable"
		if on {
			disabled, action = nil, "contact.enable"
		}
		res, err := tx.ExecContext(ctx, "UPDATE contact_methods SET disabled_at = $1 WHERE id = $2 AND (disabled_at IS NULL) <> $3", disabled, method.ID, on)
		if err != nil {
			return false, fmt.Errorf("switch a contact method: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return false, err
		}
		return true, tx.audit(ctx, auth.Entry{At: now, Actor: by.String(), Action: action, Subject: "user:" + by.Email,
			Detail: map[string]any{"contact": method.Slug, "medium": method.Medium}})
	})
}

// Notice sends a person words that ask for no action.
func (db *DB) Notice(ctx context.Context, to notify.ContactMethod, text string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		now := db.Now()
		one := []notify.ContactMethod{to}
		same := func(v string) func(*notify.ContactMethod) string {
			return func(*notify.ContactMethod) string { return v }
		}
		err := tx.insertRows(ctx, "messages", 1, "",
			colOf("kind", "text", one, same(string(notify.KindNotice))),
			colOf("user_id", "bigint", one, func(m *notify.ContactMethod) int64 { return m.UserID }),
			colOf("contact_method_id", "bigint", one, func(m *notify.ContactMethod) int64 { return m.ID }),
			colOf("medium", "text", one, func(m *notify.ContactMethod) string { return string(m.Medium) }),
			colOf("address", "text", one, func(m *notify.ContactMethod) string { return m.Address }),
			colOf("body", "text", one, same(text)),
			colOf("urgency", "text", one, same(string(incident.Low))),
			colOf("priority", "int", one, func(*notify.ContactMethod) int { return rank(nil) }),
			colOf("gathering", "bool", one, func(*notify.ContactMethod) bool { return false }),
			colOf("state", "text", one, same("queued")),
			colOf("due_at", "timestamptz", one, func(*notify.ContactMethod) time.Time { return now }),
			colOf("attempts", "int", one, func(*notify.ContactMethod) int { return 0 }),
			colOf("provider_id", "text", one, same("")),
			colOf("failure", "text", one, same("")),
			colOf("created_at", "timestamptz", one, func(*notify.ContactMethod) time.Time { return now }))
		if err != nil {
			return fmt.Errorf("make a notice: %w", err)
		}
		return tx.tell(ctx, News{Work: ToSend})
	})
}
