package access

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

var _ auth.Store = (*Store)(nil)

// CreateUser implements auth.People.
func (s *Store) CreateUser(ctx context.Context, by auth.Actor, u *auth.User) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.RaiseConfigVersion(ctx); err != nil {
			return err
		}
		if err := insertUser(tx, u); err != nil {
			return err
		}
		return auditUser(ctx, tx, by, "user.create", u, map[string]any{"role": u.Role})
	})
}

func insertUser(tx *db.Tx, u *auth.User) error {
	u.ID = 0 // an earlier try set one that was rolled back
	if err := tx.Gorm.Create(u).Error; db.IsDuplicate(err) {
		return fault.Conflict("There already is a person with the address %s.", u.Email).
			With(fault.Field{Path: "email", Message: "This address is taken."})
	} else if err != nil {
		return fmt.Errorf("create a person: %w", err)
	}
	return nil
}

// Users implements auth.People.
func (s *Store) Users(ctx context.Context) ([]auth.User, error) {
	var users []auth.User
	if err := s.db.GormRead(ctx).Order("name, id").Find(&users).Error; err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return users, nil
}

// User implements auth.People.
func (s *Store) User(ctx context.Context, id int64) (*auth.User, error) {
	return findUser(s.db.GormRead(ctx), fault.NotFound("There is no such person."), "id = ?", id)
}

// UserByEmail implements auth.People.
func (s *Store) UserByEmail(ctx context.Context, email string) (*auth.User, error) {
	return findUser(s.db.GormRead(ctx), fault.NotFound("Nobody has the address %s.", email), "email = ?", email)
}

func findUser(g *gorm.DB, missing *fault.Error, where string, arg any) (*auth.User, error) {
	var u auth.User
	err := g.Where(where, arg).Take(&u).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("find a person: %w", err)
	}
	return &u, nil
}

// SetPassword implements auth.People.
func (s *Store) SetPassword(ctx context.Context, by auth.Actor, id int64, hash string) (*auth.User, error) {
	return db.Returning(ctx, s.db, func(tx *db.Tx) (*auth.User, error) {
		if err := tx.RaisePeopleVersion(ctx); err != nil {
			return nil, err
		}
		u, err := findUser(tx.Gorm, fault.NotFound("There is no such person."), "id = ?", id)
		if err != nil {
			return nil, err
		}
		if err := givePassword(tx, u, hash); err != nil {
			return nil, err
		}
		if err := tx.Gorm.Save(u).Error; err != nil {
			return nil, fmt.Errorf("set a password: %w", err)
		}
		return u, auditUser(ctx, tx, by, "user.password", u, nil)
	})
}

// givePassword changes u, which the caller saves, and marks the person's other links
// as used.
func givePassword(tx *db.Tx, u *auth.User, hash string) error {
	u.PasswordHash = hash
	u.SessionEpoch++
	err := tx.Gorm.Model(&auth.OneTimeLink{}).Where("user_id = ? AND used_at IS NULL", u.ID).Update("used_at", tx.DB.Now()).Error
	if err != nil {
		return fmt.Errorf("mark links as used: %w", err)
	}
	return nil
}

// SetHidePhone implements auth.People.
func (s *Store) SetHidePhone(ctx context.Context, by auth.Actor, id int64, hide bool) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.RaisePeopleVersion(ctx); err != nil {
			return err
		}
		u, err := findUser(tx.Gorm, fault.NotFound("There is no such person."), "id = ?", id)
		if err != nil || u.HidePhone == hide {
			return err
		}
		u.HidePhone = hide
		if err := tx.Gorm.Save(u).Error; err != nil {
			return fmt.Errorf("set whether a telephone number is hidden: %w", err)
		}
		return auditUser(ctx, tx, by, "user.hide_phone", u, map[string]any{"hidden": hide})
	})
}

// Rehash implements auth.People.
func (s *Store) Rehash(ctx context.Context, id int64, old, hash string) error {
	err := s.db.GormWrite(ctx).Model(&auth.User{}).Where("id = ? AND password_hash = ?", id, old).Update("password_hash", hash).Error
	if err != nil {
		return fmt.Errorf("rehash a password: %w", err)
	}
	return nil
}

// HasAdministrator implements auth.People.
func (s *Store) HasAdministrator(ctx context.Context) (bool, error) {
	return hasAdministrator(s.db.GormRead(ctx))
}

func hasAdministrator(g *gorm.DB) (bool, error) {
	var n int64
	err := g.Model(&auth.User{}).Where("role = ? AND active", auth.Administrator).Count(&n).Error
	if err != nil {
		return false, fmt.Errorf("count administrators: %w", err)
	}
	return n > 0, nil
}

func auditUser(ctx context.Context, tx *db.Tx, by auth.Actor, action string, u *auth.User, detail map[string]any) error {
	return Audit(ctx, tx, auth.Entry{Actor: by.String(), Action: action, Subject: "user:" + u.Email, Detail: detail})
}
