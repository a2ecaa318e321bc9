package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// CreateInvitation implements auth.Invitations. The lock of the version has an actor's
// invitations made one by one, so that the bound holds.
func (s *Store) CreateInvitation(ctx context.Context, by auth.Actor, i *auth.Invitation, since time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.RaisePeopleVersion(ctx); err != nil {
			return err
		}
		var made int64
		if err := tx.Gorm.Model(&auth.Invitation{}).Where("created_by = ? AND created_at > ?", by.String(), since).Count(&made).Error; err != nil {
			return fmt.Errorf("count invitations: %w", err)
		}
		if made >= auth.InvitationsAnHour {
			return fault.Limited("You made %d invitations within an hour. Try again later.", made)
		}
		i.ID = 0
		if err := tx.Gorm.Create(i).Error; err != nil {
			return fmt.Errorf("create an invitation: %w", err)
		}
		return auditInvitation(ctx, tx, by, "invitation.create", i)
	})
}

// Invitation implements auth.Invitations.
func (s *Store) Invitation(ctx context.Context, id int64) (*auth.Invitation, error) {
	return findInvitation(s.db.GormRead(ctx), "id = ?", id)
}

// InvitationByHash implements auth.Invitations.
func (s *Store) InvitationByHash(ctx context.Context, hash []byte) (*auth.Invitation, error) {
	return findInvitation(s.db.GormRead(ctx), "hash = ?", hash)
}

func findInvitation(g *gorm.DB, where string, arg any) (*auth.Invitation, error) {
	var i auth.Invitation
	err := g.Where(where, arg).Take(&i).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, fault.NotFound("There is no such invitation. Look whether the link was copied whole.")
	}
	if err != nil {
		return nil, fmt.Errorf("find an invitation: %w", err)
	}
	return &i, nil
}

// OpenInvitations implements auth.Invitations.
func (s *Store) OpenInvitations(ctx context.Context, now time.Time) ([]auth.Invitation, error) {
	var all []auth.Invitation
	err := s.db.GormRead(ctx).Where("used_at IS NULL AND revoked_at IS NULL AND expires_at > ?", now).Order("id DESC").Find(&all).Error
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	return all, nil
}

// RevokeInvitation implements auth.Invitations.
func (s *Store) RevokeInvitation(ctx context.Context, by auth.Actor, id int64, now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		i, err := findInvitation(tx.Gorm, "id = ?", id)
		if err != nil {
			return err
		}
		res := tx.Gorm.Model(&auth.Invitation{}).Where("id = ? AND used_at IS NULL AND revoked_at IS NULL", id).Update("revoked_at", now)
		switch {
		case res.Error != nil:
			return fmt.Errorf("revoke an invitation: %w", res.Error)
		case res.RowsAffected == 0:
			return fault.Conflict("This invitation was used or revoked already.")
		}
		return auditInvitation(ctx, tx, by, "invitation.revoke", i)
	})
}

// UseInvitation implements auth.Invitations.
func (s *Store) UseInvitation(ctx context.Context, hash []byte, u *auth.User, now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.RaiseConfigVersion(ctx); err != nil {
			return err
		}
		i, err := findInvitation(tx.Gorm, "hash = ?", hash)
		if err != nil {
			return err
		}
		if err := i.Usable(now); err != nil {
			return err
		}
		if err := insertUser(tx, u); err != nil {
			return err
		}
		// The lock of the version has one of several callers come first. A revocation
		// does not take it.
		used := tx.Gorm.Model(&auth.Invitation{}).Where("id = ? AND used_at IS NULL AND revoked_at IS NULL", i.ID).
			Updates(map[string]any{"used_at": now, "user_id": u.ID})
		switch {
		case used.Error != nil:
			return fmt.Errorf("use an invitation: %w", used.Error)
		case used.RowsAffected == 0:
			return fault.Gone("This invitation was revoked. Ask for another.")
		}
		if i.TeamID != nil {
			if _, err := tx.ExecContext(ctx, "INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)", *i.TeamID, u.ID); err != nil {
				return fmt.Errorf("join the team: %w", err)
			}
		}
		return auditUser(ctx, tx, u.Actor(), "user.create", u, map[string]any{"role": u.Role, "invited_by": i.CreatedBy, "team": i.TeamID})
	})
}

// auditInvitation keeps addresses out of the log.
func auditInvitation(ctx context.Context, tx *db.Tx, by auth.Actor, action string, i *auth.Invitation) error {
	return Audit(ctx, tx, auth.Entry{Actor: by.String(), Action: action, Subject: fmt.Sprintf("invitation:%d", i.ID),
		Detail: map[string]any{"role": i.Role, "team": i.TeamID, "expires_at": i.ExpiresAt}})
}
