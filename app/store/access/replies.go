package access

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// ContactByAddress finds the verified contact method, of a person who is
// active, that an address belongs to; one that is switched off too. NotFound
// says that it is nobody's. Where several share it, the one that was sent to
// last is meant.
func (s *Store) ContactByAddress(ctx context.Context, medium notify.Medium, address string) (notify.ContactMethod, error) {
	var found []notify.ContactMethod
	err := s.db.GormRead(ctx).Table("contact_methods AS c").Select("c.*").
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

// SwitchContact switches a contact method off, or on again, and reports whether
// it was otherwise before.
func (s *Store) SwitchContact(ctx context.Context, by auth.Actor, method notify.ContactMethod, on bool) (changed bool, err error) {
	return db.Returning(ctx, s.db, func(tx *db.Tx) (bool, error) {
		if err := tx.RaisePeopleVersion(ctx); err != nil {
			return false, err
		}
		now := s.db.Now()
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
		return true, Audit(ctx, tx, auth.Entry{At: now, Actor: by.String(), Action: action, Subject: "user:" + by.Email,
			Detail: map[string]any{"contact": method.Slug, "medium": method.Medium}})
	})
}

// Notice sends a person words that ask for no action.
func (s *Store) Notice(ctx context.Context, to notify.ContactMethod, text string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		return paging.QueueNotice(ctx, tx, notify.KindNotice, to, incident.Low, text, s.db.Now())
	})
}
