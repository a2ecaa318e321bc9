package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// CreateLink implements auth.Links.
func (db *DB) CreateLink(ctx context.Context, by auth.Actor, l *auth.OneTimeLink) error {
	return db.inTx(ctx, func(tx *Tx) error {
		l.ID = 0
		if err := tx.Gorm.Create(l).Error; err != nil {
			return fmt.Errorf("create a link: %w", err)
		}
		if l.UserID == nil {
			return tx.audit(ctx, auth.Entry{Actor: by.String(), Action: "link.create", Subject: "link:" + string(l.Purpose)})
		}
		u, err := findUser(tx.Gorm, fault.NotFound("There is no such person."), "id = ?", *l.UserID)
		if err != nil {
			return err
		}
		return tx.auditUser(ctx, by, "link.create", u, map[string]any{"expires_at": l.ExpiresAt})
	})
}

// LinkByHash implements auth.Links.
func (db *DB) LinkByHash(ctx context.Context, hash []byte) (*auth.OneTimeLink, error) {
	return findLink(db.reading(ctx), hash)
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
func (db *DB) UseSetupLink(ctx context.Context, hash []byte, u *auth.User, organization string, now time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.changeConfiguration(ctx); err != nil {
			return err
		}
		// Before the link itself: whoever comes second learns why.
		has, err := hasAdministrator(tx.Gorm, 0)
		if err != nil {
			return err
		}
		if has {
			return auth.ErrHasAdministrator
		}
		if _, err := tx.useLink(ctx, auth.ForSetup, hash, now); err != nil {
			return err
		}
		if err := tx.putAdministrator(u); err != nil {
			return err
		}
		if err := tx.nameOrganization(ctx, u.Actor(), organization, u.Timezone); err != nil {
			return err
		}
		return tx.auditUser(ctx, u.Actor(), "user.setup", u, map[string]any{"role": u.Role})
	})
}

// nameOrganization names the organisation and sets the zone that holds wherever
// none is stated.
func (tx *Tx) nameOrganization(ctx context.Context, by auth.Actor, name, timezone string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE organization SET name = $1, timezone = COALESCE(NULLIF($2, ''), timezone) WHERE id = 1", name, timezone); err != nil {
		return fmt.Errorf("name the organisation: %w", err)
	}
	return tx.audit(ctx, auth.Entry{Actor: by.String(), Action: "organization.update", Subject: "organization",
		Detail: map[string]any{"name": name, "timezone": timezone}})
}

// putAdministrator creates the person, or gives an account of the same address
// the role, name and password. That account came from whoever runs the server,
// as the link did.
func (tx *Tx) putAdministrator(u *auth.User) error {
	known, err := findUser(tx.Gorm, fault.NotFound(""), "email = ?", u.Email)
	if fault.Is(err, fault.KindNotFound) {
		return tx.insertUser(u)
	}
	if err != nil {
		return err
	}
	u.ID, u.CreatedAt, u.SessionEpoch = known.ID, known.CreatedAt, known.SessionEpoch+1
	if err := tx.Gorm.Save(u).Error; err != nil {
		return fmt.Errorf("make an administrator: %w", err)
	}
	return nil
}

// UsePasswordLink implements auth.Links.
func (db *DB) UsePasswordLink(ctx context.Context, hash []byte, passwordHash string, now time.Time) (*auth.User, error) {
	return committed(ctx, db, func(tx *Tx) (*auth.User, error) {
		if err := tx.changeConfiguration(ctx); err != nil {
			return nil, err
		}
		l, err := tx.useLink(ctx, auth.ForPassword, hash, now)
		if err != nil {
			return nil, err
		}
		u, err := findUser(tx.Gorm, fault.NotFound("There is no such person."), "id = ?", *l.UserID)
		if err != nil {
			return nil, err
		}
		if !u.Active {
			return nil, fault.Forbidden("This account has been deactivated. An administrator can take you back.")
		}
		if err := tx.givePassword(ctx, u, passwordHash); err != nil {
			return nil, err
		}
		if err := tx.Gorm.Save(u).Error; err != nil {
			return nil, fmt.Errorf("set a password: %w", err)
		}
		return u, tx.auditUser(ctx, u.Actor(), "user.password", u, map[string]any{"by": "link"})
	})
}

// useLink uses a link up, once: the row's lock lets one of several through,
// and the others see it used.
func (tx *Tx) useLink(ctx context.Context, purpose auth.Purpose, hash []byte, now time.Time) (*auth.OneTimeLink, error) {
	res, err := tx.ExecContext(ctx, `UPDATE one_time_links SET used_at = $1
		WHERE hash = $2 AND purpose = $3 AND used_at IS NULL AND expires_at > $4`, now, hash, string(purpose), now)
	if err != nil {
		return nil, fmt.Errorf("use a link: %w", err)
	}
	used, err := res.RowsAffected()
	if err != nil {
		return nil, fmt.Errorf("use a link: %w", err)
	}
	l, err := findLink(tx.Gorm, hash)
	switch {
	case err != nil:
		return nil, err
	case used == 1:
		return l, nil
	case l.Purpose != purpose:
		return nil, fault.NotFound("This link is for something else.")
	}
	return nil, l.Usable(now)
}
