package store

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Verify implements notify.ContactStore. A wrong answer is counted and
// committed before it is told.
func (db *DB) Verify(ctx context.Context, by string, userID, methodID int64, hash []byte) error {
	var refused error
	err := db.changeContacts(ctx, func(tx *Tx) error {
		m, err := tx.contact(userID, methodID)
		if err != nil {
			return err
		}
		if refused = tx.judge(m, hash); refused != nil {
			if !fault.Is(refused, fault.KindInvalid) {
				return nil
			}
			m.CodeTries++
			return tx.Gorm.Save(&m).Error
		}
		return tx.verified(ctx, by, m)
	})
	if err != nil {
		return err
	}
	return refused
}

// judge is nil for the right answer.
func (tx *Tx) judge(m notify.ContactMethod, hash []byte) error {
	switch {
	case m.VerifiedAt != nil:
		return fault.Conflict("%s is verified already.", m.Address)
	case m.CodeHash == nil || m.CodeExpiresAt == nil || !tx.db.Now().Before(*m.CodeExpiresAt):
		return fault.Gone("The code has expired. Ask for a new one.")
	case m.CodeTries >= notify.CodeTries:
		return fault.Limited("Too many codes were wrong. Ask for a new one.")
	case subtle.ConstantTimeCompare(m.CodeHash, hash) != 1:
		return fault.Invalid("That is not the code.").With(fault.Field{Path: "code", Message: "That is not the code that was sent last."})
	}
	return nil
}

// verified puts the method into use, in the place of the one that it replaces.
func (tx *Tx) verified(ctx context.Context, by string, m notify.ContactMethod) error {
	now := tx.db.Now()
	var others []notify.ContactMethod
	if err := tx.Gorm.Where("user_id = ? AND id <> ?", m.UserID, m.ID).Order("id").Find(&others).Error; err != nil {
		return fmt.Errorf("read contact methods: %w", err)
	}
	if m.ReplacesID != nil {
		replaced, err := tx.contact(m.UserID, *m.ReplacesID)
		if err != nil {
			return err
		}
		if err := tx.dropContact(ctx, replaced.ID, &m.ID); err != nil {
			return err
		}
		if err := tx.tellOthers(ctx, others, fmt.Sprintf("Your %s contact in Tocsin was replaced. If it was not you, tell an administrator.", replaced.Medium)); err != nil {
			return err
		}
		m.Slug, m.ReplacesID = replaced.Slug, nil
	}
	m.VerifiedAt, m.DisabledAt, m.FromFile = &now, nil, false
	m.CodeHash, m.CodeExpiresAt, m.CodeTries = nil, nil, 0
	if err := tx.Gorm.Save(&m).Error; err != nil {
		return fmt.Errorf("verify a contact method: %w", err)
	}
	return tx.auditContact(ctx, by, "contact.verify", m)
}

// tellOthers sends a notice to every method that is in use.
func (tx *Tx) tellOthers(ctx context.Context, methods []notify.ContactMethod, text string) error {
	for _, m := range methods {
		if !m.Usable() {
			continue
		}
		if err := tx.say(ctx, notify.KindNotice, m, text, tx.db.Now()); err != nil {
			return err
		}
	}
	return nil
}
