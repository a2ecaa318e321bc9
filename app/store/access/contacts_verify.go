package access

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// Verify implements notify.ContactStore. A wrong answer is counted, and the count
// committed, before it is refused.
func (s *Store) Verify(ctx context.Context, by string, userID, methodID int64, hash []byte) error {
	var refused error
	err := s.ChangeContacts(ctx, func(tx *db.Tx) error {
		m, err := contact(tx, userID, methodID)
		if err != nil {
			return err
		}
		if refused = checkCode(tx, m, hash); refused != nil {
			if !fault.Is(refused, fault.KindInvalid) {
				return nil
			}
			m.CodeTries++
			return tx.Gorm.Save(&m).Error
		}
		return Verified(ctx, tx, by, m)
	})
	if err != nil {
		return err
	}
	return refused
}

// checkCode is nil for the right code.
func checkCode(tx *db.Tx, m notify.ContactMethod, hash []byte) error {
	switch {
	case m.VerifiedAt != nil:
		return fault.Conflict("%s is verified already.", m.Address)
	case m.CodeHash == nil || m.CodeExpiresAt == nil || !tx.DB.Now().Before(*m.CodeExpiresAt):
		return fault.Gone("The code has expired. Ask for a new one.")
	case m.CodeTries >= notify.CodeTries:
		return fault.Limited("Too many codes were wrong. Ask for a new one.")
	case subtle.ConstantTimeCompare(m.CodeHash, hash) != 1:
		return fault.Invalid("That is not the code.").With(fault.Field{Path: "code", Message: "That is not the code that was sent last."})
	}
	return nil
}

// Verified marks the method as verified; it takes the place of the one that it
// replaces. Incidents that nobody could be paged for try again.
func Verified(ctx context.Context, tx *db.Tx, by string, m notify.ContactMethod) error {
	now := tx.DB.Now()
	if err := paging.WakeUnreached(ctx, tx, now); err != nil {
		return err
	}
	var others []notify.ContactMethod
	if err := tx.Gorm.Where("user_id = ? AND id <> ?", m.UserID, m.ID).Order("id").Find(&others).Error; err != nil {
		return fmt.Errorf("read contact methods: %w", err)
	}
	if m.ReplacesID != nil {
		replaced, err := contact(tx, m.UserID, *m.ReplacesID)
		if err != nil {
			return err
		}
		if err := DropContact(ctx, tx, replaced.ID, &m.ID); err != nil {
			return err
		}
		if err := NotifyMethods(ctx, tx, others, fmt.Sprintf("Your %s contact in Tocsin was replaced. If it was not you, tell an administrator.", replaced.Medium)); err != nil {
			return err
		}
		m.Slug, m.ReplacesID = replaced.Slug, nil
	}
	m.VerifiedAt, m.DisabledAt, m.FromFile = &now, nil, false
	m.CodeHash, m.CodeExpiresAt, m.CodeTries = nil, nil, 0
	if err := tx.Gorm.Save(&m).Error; err != nil {
		return fmt.Errorf("verify a contact method: %w", err)
	}
	return auditContact(ctx, tx, by, "contact.verify", m)
}

// NotifyMethods sends a notice to every method that is in use.
func NotifyMethods(ctx context.Context, tx *db.Tx, methods []notify.ContactMethod, text string) error {
	for _, m := range methods {
		if !m.Usable() {
			continue
		}
		if err := paging.QueueNotice(ctx, tx, notify.KindNotice, m, incident.High, text, tx.DB.Now()); err != nil {
			return err
		}
	}
	return nil
}
