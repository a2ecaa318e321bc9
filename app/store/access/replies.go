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

// ContactByAddress is the verified contact method, enabled or disabled, of an active
// person with an address; of several, the one that was sent to last. Fault: NotFound
// where there is none.
func (s *Store) ContactByAddress(ctx context.Context, medium notify.Medium, address string) (notify.ContactMethod, error) {
	var found []notify.ContactMethod
	err := s.db.GormRead(ctx).Table("contact_methods AS c").Select("c.*").
		Where("c.medium = ? AND c.address = ? AND c.verified_at IS NOT NULL AND EXISTS (SELECT 1 FROM users u WHERE u.id = c.user_id AND u.active)", medium, address).
		Order("(SELECT COALESCE(max(m.id), 0) FROM messages m WHERE m.user_id = c.user_id AND m.contact_method_id = c.id AND m.attempts > 0) DESC, c.id").
		Limit(1).Scan(&found).Error
	if err != nil {
		return notify.ContactMethod{}, fmt.Errorf("read a contact method by its address: %w", err)
	}
	if len(found) == 0 {
		return notify.ContactMethod{}, fault.NotFound("This address is nobody's here.")
	}
	return found[0], nil
}

// SwitchContact enables or disables a contact method, and reports whether that
// changed it.
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
		res := tx.Gorm.Model(&notify.ContactMethod{}).Where("id = ? AND (disabled_at IS NULL) <> ?", method.ID, on).Update("disabled_at", disabled)
		if err := res.Error; err != nil {
			return false, fmt.Errorf("enable or disable a contact method: %w", err)
		}
		if res.RowsAffected == 0 {
			return false, nil
		}
		return true, Audit(ctx, tx, auth.Entry{At: now, Actor: by.String(), Action: action, Subject: "user:" + by.Email,
			Detail: map[string]any{"contact": method.Slug, "medium": method.Medium}})
	})
}

// Notice queues a notice to a person, which asks for no action.
func (s *Store) Notice(ctx context.Context, to notify.ContactMethod, text string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		return paging.QueueNotice(ctx, tx, notify.KindNotice, to, incident.Low, text, s.db.Now())
	})
}
