package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// Replace deletes the rows that old selects and inserts others.
func Replace[T any](old, g *gorm.DB, rows []T) error {
	if err := old.Delete(new(T)).Error; err != nil || len(rows) == 0 {
		return err
	}
	return g.Create(&rows).Error
}

var _ notify.ContactStore = (*Store)(nil)

// ContactMethods implements notify.ContactStore, in the order in which they
// were made.
func (s *Store) ContactMethods(ctx context.Context, userID int64) ([]notify.ContactMethod, error) {
	var methods []notify.ContactMethod
	if err := s.db.GormRead(ctx).Where("user_id = ?", userID).Order("id").Find(&methods).Error; err != nil {
		return nil, fmt.Errorf("read contact methods: %w", err)
	}
	return methods, nil
}

// AddContact implements notify.ContactStore.
func (s *Store) AddContact(ctx context.Context, by string, m *notify.ContactMethod) error {
	return s.ChangeContacts(ctx, func(tx *db.Tx) error {
		if m.ReplacesID != nil {
			if _, err := contact(tx, m.UserID, *m.ReplacesID); err != nil {
				return err
			}
		}
		m.ID = 0 // an earlier try set one that was rolled back
		if err := tx.Gorm.Create(m).Error; db.IsDuplicate(err) {
			return fault.Conflict("There already is a contact method %s.", m.Slug)
		} else if err != nil {
			return fmt.Errorf("add a contact method: %w", err)
		}
		return auditContact(ctx, tx, by, "contact.create", *m)
	})
}

// RemoveContact implements notify.ContactStore.
func (s *Store) RemoveContact(ctx context.Context, by string, userID, methodID int64) error {
	return s.ChangeContacts(ctx, func(tx *db.Tx) error {
		m, err := contact(tx, userID, methodID)
		if err != nil {
			return err
		}
		if err := DropContact(ctx, tx, methodID, nil); err != nil {
			return err
		}
		return auditContact(ctx, tx, by, "contact.delete", m)
	})
}

// DropContact deletes a method. Its rules and its pending replacement are moved to
// another method; without one the rules are deleted.
func DropContact(ctx context.Context, tx *db.Tx, methodID int64, instead *int64) error {
	g := tx.Gorm
	if instead != nil {
		if err := g.Model(&notify.Rule{}).Where("contact_method_id = ?", methodID).Update("contact_method_id", *instead).Error; err != nil {
			return fmt.Errorf("move personal rules: %w", err)
		}
	}
	if err := g.Model(&notify.ContactMethod{}).Where("replaces_id = ?", methodID).Update("replaces_id", instead).Error; err != nil {
		return fmt.Errorf("move replacements: %w", err)
	}
	if err := g.Delete(&notify.ContactMethod{}, methodID).Error; err != nil {
		return fmt.Errorf("remove a contact method: %w", err)
	}
	return nil
}

// SendCode implements notify.ContactStore.
func (s *Store) SendCode(ctx context.Context, by string, userID, methodID int64, code string, hash []byte) error {
	return s.ChangeContacts(ctx, func(tx *db.Tx) error {
		now := tx.DB.Now()
		m, err := contact(tx, userID, methodID)
		if err != nil {
			return err
		}
		if m.VerifiedAt != nil {
			return fault.Conflict("%s is verified already.", m.Address)
		}
		if err := mayBeSent(tx, m, now); err != nil {
			return err
		}
		expires := now.Add(notify.CodeLasts)
		m.CodeHash, m.CodeExpiresAt, m.CodeTries = hash, &expires, 0
		if err := tx.Gorm.Save(&m).Error; err != nil {
			return fmt.Errorf("save a verification code: %w", err)
		}
		if err := paging.QueueNotice(ctx, tx, notify.KindVerify, m, incident.High, code, now); err != nil {
			return err
		}
		return auditContact(ctx, tx, by, "contact.send_code", m)
	})
}

// mayBeSent is a fault of kind Limited while no further code may be sent. Served by
// messages_user_recent.
func mayBeSent(tx *db.Tx, m notify.ContactMethod, now time.Time) error {
	var sent struct{ InAnHour, JustNow int }
	err := tx.Gorm.Table("messages").
		Select("count(*) AS in_an_hour, count(CASE WHEN contact_method_id = ? AND created_at > ? THEN 1 END) AS just_now", m.ID, now.Add(-notify.CodeAgain)).
		Where("user_id = ? AND created_at > ? AND kind = ?", m.UserID, now.Add(-time.Hour), notify.KindVerify).Scan(&sent).Error
	switch {
	case err != nil:
		return fmt.Errorf("count verification codes: %w", err)
	case sent.InAnHour >= notify.CodesAnHour:
		return fault.Limited("%d codes were sent within an hour. Try again later.", sent.InAnHour)
	case sent.JustNow > 0:
		return fault.Limited("A code was sent a moment ago. It may take half a minute to arrive.")
	}
	return nil
}

// ChangeContacts runs one change of people's contact methods or rules at a
// time.
func (s *Store) ChangeContacts(ctx context.Context, change func(tx *db.Tx) error) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.RaisePeopleVersion(ctx); err != nil {
			return err
		}
		return change(tx)
	})
}

// contact finds a person's method.
func contact(tx *db.Tx, userID, methodID int64) (notify.ContactMethod, error) {
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
func auditContact(ctx context.Context, tx *db.Tx, by, action string, m notify.ContactMethod) error {
	return Audit(ctx, tx, auth.Entry{Actor: by, Action: action, Subject: fmt.Sprintf("user:%d", m.UserID),
		Detail: map[string]any{"contact": m.Slug, "medium": m.Medium}})
}

// Rules implements notify.ContactStore.
func (s *Store) Rules(ctx context.Context, userID int64) ([]notify.Rule, error) {
	var rules []notify.Rule
	err := s.db.GormRead(ctx).Where("user_id = ?", userID).Order("urgency, after_seconds, id").Find(&rules).Error
	if err != nil {
		return nil, fmt.Errorf("read personal rules: %w", err)
	}
	return rules, nil
}

// SetRules implements notify.ContactStore.
func (s *Store) SetRules(ctx context.Context, by string, userID int64, rules []notify.Rule) error {
	return s.ChangeContacts(ctx, func(tx *db.Tx) error {
		rows := make([]notify.Rule, len(rules))
		for i, r := range rules {
			if _, err := contact(tx, userID, r.ContactMethodID); err != nil {
				return err
			}
			rows[i] = notify.Rule{UserID: userID, Urgency: r.Urgency, AfterSeconds: r.AfterSeconds, ContactMethodID: r.ContactMethodID}
		}
		if err := Replace(tx.Gorm.Where("user_id = ?", userID), tx.Gorm, rows); err != nil {
			return fmt.Errorf("set personal rules: %w", err)
		}
		return Audit(ctx, tx, auth.Entry{Actor: by, Action: "rules.update", Subject: fmt.Sprintf("user:%d", userID),
			Detail: map[string]any{"rules": len(rows)}})
	})
}
