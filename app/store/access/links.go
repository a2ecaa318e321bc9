package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// CreateLink implements auth.Links.
func (s *Store) CreateLink(ctx context.Context, by auth.Actor, l *auth.OneTimeLink) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		l.ID = 0
		if err := tx.Gorm.Create(l).Error; err != nil {
			return fmt.Errorf("create a link: %w", err)
		}
		if l.UserID == nil {
			return Audit(ctx, tx, auth.Entry{Actor: by.String(), Action: "link.create", Subject: "link:" + string(l.Purpose)})
		}
		u, err := findUser(tx.Gorm, fault.NotFound("There is no such person."), "id = ?", *l.UserID)
		if err != nil {
			return err
		}
		return auditUser(ctx, tx, by, "link.create", u, map[string]any{"expires_at": l.ExpiresAt})
	})
}

// LinkByHash implements auth.Links.
func (s *Store) LinkByHash(ctx context.Context, hash []byte) (*auth.OneTimeLink, error) {
	return findLink(s.db.GormRead(ctx), hash)
}

func findLink(g *gorm.DB, hash []byte) (*auth.OneTimeLink, error) {
	var l auth.OneTimeLink
	err := g.Where("hash = ?", hash).Take(&l).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, fault.NotFound("This link is not one of ours. Look whether it was copied whole.")
	}
	if err != nil {
		return nil, fmt.Errorf("find a link: %w", err)
	}
	return &l, nil
}

// UseSetupLink implements auth.Links.
func (s *Store) UseSetupLink(ctx context.Context, hash []byte, u *auth.User, organization string, now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.RaiseConfigVersion(ctx); err != nil {
			return err
		}
		// Before the link itself: whoever comes second learns why.
		has, err := hasAdministrator(tx.Gorm)
		if err != nil {
			return err
		}
		if has {
			return auth.ErrHasAdministrator
		}
		if _, err := useLink(tx, auth.ForSetup, hash, now); err != nil {
			return err
		}
		if err := putAdministrator(tx, u); err != nil {
			return err
		}
		if err := nameOrganization(ctx, tx, u.Actor(), organization, u.Timezone); err != nil {
			return err
		}
		return auditUser(ctx, tx, u.Actor(), "user.setup", u, map[string]any{"role": u.Role})
	})
}

// nameOrganization names the organisation and sets the zone that holds wherever
// none is stated.
func nameOrganization(ctx context.Context, tx *db.Tx, by auth.Actor, name, timezone string) error {
	changed := map[string]any{"name": name}
	if timezone != "" {
		changed["timezone"] = timezone
	}
	if err := tx.Gorm.Model(&catalog.Organization{ID: 1}).Updates(changed).Error; err != nil {
		return fmt.Errorf("name the organisation: %w", err)
	}
	return Audit(ctx, tx, auth.Entry{Actor: by.String(), Action: "organization.update", Subject: "organization",
		Detail: map[string]any{"name": name, "timezone": timezone}})
}

// putAdministrator creates the person, or gives an account of the same address
// the role, name and password. That account was made by the operator of the server,
// as the link was.
func putAdministrator(tx *db.Tx, u *auth.User) error {
	known, err := findUser(tx.Gorm, fault.NotFound(""), "email = ?", u.Email)
	if fault.Is(err, fault.KindNotFound) {
		return insertUser(tx, u)
	}
	if err != nil {
		return err
	}
	u.ID, u.CreatedAt, u.SessionEpoch = known.ID, known.CreatedAt, known.SessionEpoch+1
	if err := tx.Gorm.Save(u).Error; err != nil {
		return fmt.Errorf("save an administrator: %w", err)
	}
	return nil
}

// UsePasswordLink implements auth.Links.
func (s *Store) UsePasswordLink(ctx context.Context, hash []byte, passwordHash string, now time.Time) (*auth.User, error) {
	return db.Returning(ctx, s.db, func(tx *db.Tx) (*auth.User, error) {
		if err := tx.RaisePeopleVersion(ctx); err != nil {
			return nil, err
		}
		l, err := useLink(tx, auth.ForPassword, hash, now)
		if err != nil {
			return nil, err
		}
		u, err := findUser(tx.Gorm, fault.NotFound("There is no such person."), "id = ?", *l.UserID)
		if err != nil {
			return nil, err
		}
		if !u.Active {
			return nil, fault.Forbidden("This account has been deactivated. An administrator can activate it again.")
		}
		if err := givePassword(tx, u, passwordHash); err != nil {
			return nil, err
		}
		if err := tx.Gorm.Save(u).Error; err != nil {
			return nil, fmt.Errorf("set a password: %w", err)
		}
		return u, auditUser(ctx, tx, u.Actor(), "user.password", u, map[string]any{"by": "link"})
	})
}

// useLink marks a link as used. The row's lock lets one of several callers succeed;
// the others see it used.
func useLink(tx *db.Tx, purpose auth.Purpose, hash []byte, now time.Time) (*auth.OneTimeLink, error) {
	res := tx.Gorm.Model(&auth.OneTimeLink{}).
		Where("hash = ? AND purpose = ? AND used_at IS NULL AND expires_at > ?", hash, purpose, now).Update("used_at", now)
	if err := res.Error; err != nil {
		return nil, fmt.Errorf("use a link: %w", err)
	}
	l, err := findLink(tx.Gorm, hash)
	switch {
	case err != nil:
		return nil, err
	case res.RowsAffected == 1:
		return l, nil
	case l.Purpose != purpose:
		return nil, fault.NotFound("This link is for something else.")
	}
	return nil, l.Usable(now)
}
