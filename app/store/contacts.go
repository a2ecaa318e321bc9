package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

var _ notify.ContactStore = (*DB)(nil)

// ContactMethods implements notify.ContactStore, in the order in which they
// were made.
func (db *DB) ContactMethods(ctx context.Context, userID int64) ([]notify.ContactMethod, error) {
	var methods []notify.ContactMethod
	if err := db.reading(ctx).Where("user_id = ?", userID).Order("id").Find(&methods).Error; err != nil {
		return nil, fmt.Errorf("read contact methods: %w", err)
	}
	return methods, nil
}

// AddContact implements notify.ContactStore.
func (db *DB) AddContact(ctx context.Context, by string, m *notify.ContactMethod) error {
	return db.changeContacts(ctx, func(tx *Tx) error {
		if m.ReplacesID != nil {
			if _, err := tx.contact(m.UserID, *m.ReplacesID); err != nil {
				return err
			}
		}
		m.ID = 0 // another try has set one that was rolled back
		if err := tx.Gorm.Create(m).Error; isDuplicate(err) {
			return fault.Conflict("There already is a contact method %s.", m.Slug)
		} else if err != nil {
			return fmt.Errorf("add a contact method: %w", err)
		}
		return tx.auditContact(ctx, by, "contact.create", *m)
	})
}

// RemoveContact implements notify.ContactStore.
func (db *DB) RemoveContact(ctx context.Context, by string, userID, methodID int64) error {
	return db.changeContacts(ctx, func(tx *Tx) error {
		m, err := tx.contact(userID, methodID)
		if err != nil {
			return err
		}
		if err := tx.dropContact(ctx, methodID, nil); err != nil {
			return err
		}
		return tx.auditContact(ctx, by, "contact.delete", m)
	})
}

// dropContact deletes a method. Its rules, and what was to replace it, go to
// another, or with nil the rules go with it.
func (tx *Tx) dropContact(ctx context.Context, methodID int64, instead *int64) error {
	if instead != nil {
		if _, err := tx.ExecContext(ctx, "UPDATE notification_rules SET contact_method_id = $1 WHERE contact_method_id = $2", *instead, methodID); err != nil {
			return fmt.Errorf("hand over personal rules: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE contact_methods SET replaces_id = $1 WHERE replaces_id = $2", instead, methodID); err != nil {
		return fmt.Errorf("hand over replacements: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM contact_methods WHERE id = $1", methodID); err != nil {
		return fmt.Errorf("remove a contact method: %w", err)
	}
	return nil
}

// SendCode implements notify.ContactStore.
func (db *DB) SendCode(ctx context.Context, by string, userID, methodID int64, code string, hash []byte) error {
	return db.changeContacts(ctx, func(tx *Tx) error {
		now := tx.db.Now()
		m, err := tx.contact(userID, methodID)
		if err != nil {
			return err
		}
		if m.VerifiedAt != nil {
			return fault.Conflict("%s is verified already.", m.Address)
		}
		if err := tx.mayBeSent(ctx, m, now); err != nil {
			return err
		}
		expires := now.Add(notify.CodeLasts)
		m.CodeHash, m.CodeExpiresAt, m.CodeTries = hash, &expires, 0
		if err := tx.Gorm.Save(&m).Error; err != nil {
			return fmt.Errorf("keep a verification code: %w", err)
		}
		if err := tx.say(ctx, notify.KindVerify, m, code, now); err != nil {
			return err
		}
		return tx.auditContact(ctx, by, "contact.send_code", m)
	})
}

// mayBeSent is a fault of kind limited where another code has to wait.
func (tx *Tx) mayBeSent(ctx context.Context, m notify.ContactMethod, now time.Time) error {
	var inAnHour, justNow int
	err := tx.QueryRowContext(ctx, `SELECT count(*), count(CASE WHEN contact_method_id = $1 AND created_at > $2 THEN 1 END)
		FROM messages WHERE user_id = $3 AND created_at > $4 AND kind = 'verify'`, // messages_user_recent
		m.ID, now.Add(-notify.CodeAgain), m.UserID, now.Add(-time.Hour)).Scan(&inAnHour, &justNow)
	switch {
	case err != nil:
		return fmt.Errorf("count verification codes: %w", err)
	case inAnHour >= notify.CodesAnHour:
		return fault.Limited("%d codes were sent within an hour. Try again later.", inAnHour)
	case justNow > 0:
		return fault.Limited("A code was sent a moment ago. It may take half a minute to arrive.")
	}
	return nil
}

// say queues a message that is about no incident.
func (tx *Tx) say(ctx context.Context, kind notify.Kind, to notify.ContactMethod, text string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO messages (kind, user_id, contact_method_id, medium, address, body, urgency, priority, gathering,
		state, due_at, attempts, provider_id, failure, created_at) VALUES ($1, $2, $3, $4, $5, $6, 'high', 9, false, 'queued', $7, 0, '', '', $7)`,
		string(kind), to.UserID, to.ID, string(to.Medium), to.Address, text, now)
	if err != nil {
		return fmt.Errorf("queue a message: %w", err)
	}
	return tx.tell(ctx, News{Work: ToSend})
}

// changeContacts runs one change of people's contact methods or rules at a
// time.
func (db *DB) changeContacts(ctx context.Context, change func(tx *Tx) error) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.changeConfiguration(ctx); err != nil {
			return err
		}
		return change(tx)
	})
}

// contact finds a person's method.
func (tx *Tx) contact(userID, methodID int64) (notify.ContactMethod, error) {
	var m notify.ContactMethod
	err := tx.Gorm.Where("id = ? AND user_id = ?", methodID, userID).Take(&m).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return m, fault.NotFound("There is no such contact method.")
	}
	if err != nil {
		return m, fmt.Errorf("read a contact method: %w", err)
	}
	return m, nil
}

// auditContact keeps addresses out of the log.
func (tx *Tx) auditContact(ctx context.Context, by, action string, m notify.ContactMethod) error {
	return tx.audit(ctx, auth.Entry{Actor: by, Action: action, Subject: fmt.Sprintf("user:%d", m.UserID),
		Detail: map[string]any{"contact": m.Slug, "medium": m.Medium}})
}

// Rules implements notify.ContactStore.
func (db *DB) Rules(ctx context.Context, userID int64) ([]notify.Rule, error) {
	var rules []notify.Rule
	err := db.reading(ctx).Where("user_id = ?", userID).Order("urgency, after_seconds, id").Find(&rules).Error
	if err != nil {
		return nil, fmt.Errorf("read personal rules: %w", err)
	}
	return rules, nil
}

// SetRules implements notify.ContactStore.
func (db *DB) SetRules(ctx context.Context, by string, userID int64, rules []notify.Rule) error {
	return db.changeContacts(ctx, func(tx *Tx) error {
		rows := make([]notify.Rule, len(rules))
		for i, r := range rules {
			if _, err := tx.contact(userID, r.ContactMethodID); err != nil {
				return err
			}
			rows[i] = notify.Rule{UserID: userID, Urgency: r.Urgency, AfterSeconds: r.AfterSeconds, ContactMethodID: r.ContactMethodID}
		}
		if err := replace(tx.Gorm.Where("user_id = ?", userID), tx.Gorm, rows); err != nil {
			return fmt.Errorf("set personal rules: %w", err)
		}
		return tx.audit(ctx, auth.Entry{Actor: by, Action: "rules.update", Subject: fmt.Sprintf("user:%d", userID),
			Detail: map[string]any{"rules": len(rows)}})
	})
}
