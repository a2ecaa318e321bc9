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

// CreateToken implements auth.Tokens.
func (s *Store) CreateToken(ctx context.Context, by auth.Actor, t *auth.Token) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		t.ID = 0
		if err := tx.Gorm.Create(t).Error; db.IsDuplicate(err) {
			return fault.Conflict("There already is, or was, a token named %s. Records speak of it, so choose another name.", t.Name).
				With(fault.Field{Path: "name", Message: "This name is taken."})
		} else if err != nil {
			return fmt.Errorf("create a token: %w", err)
		}
		return Audit(ctx, tx, auth.Entry{
			Actor: by.String(), Action: "token.create", Subject: "token:" + t.Name,
			Detail: map[string]any{"scope": t.Scope},
		})
	})
}

// Tokens implements auth.Tokens.
func (s *Store) Tokens(ctx context.Context) ([]auth.Token, error) {
	var tokens []auth.Token
	if err := s.db.GormRead(ctx).Order("id DESC").Find(&tokens).Error; err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// TokenByHash implements auth.Tokens. The unique index on hash serves it.
func (s *Store) TokenByHash(ctx context.Context, hash []byte) (*auth.Token, error) {
	return findToken(s.db.GormRead(ctx), "hash = ?", hash)
}

func findToken(g *gorm.DB, where string, arg any) (*auth.Token, error) {
	var t auth.Token
	err := g.Where(where, arg).Take(&t).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, fault.NotFound("There is no such token.")
	}
	if err != nil {
		return nil, fmt.Errorf("find a token: %w", err)
	}
	return &t, nil
}

// TouchToken implements auth.Tokens.
func (s *Store) TouchToken(ctx context.Context, id int64, now, since time.Time) error {
	err := s.db.GormWrite(ctx).Model(&auth.Token{}).Where("id = ? AND (last_used_at IS NULL OR last_used_at <= ?)", id, since).Update("last_used_at", now).Error
	if err != nil {
		return fmt.Errorf("record a token's use: %w", err)
	}
	return nil
}

// RevokeToken implements auth.Tokens.
func (s *Store) RevokeToken(ctx context.Context, by auth.Actor, id int64, now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		t, err := findToken(tx.Gorm, "id = ?", id)
		if err != nil {
			return err
		}
		res := tx.Gorm.Model(&auth.Token{}).Where("id = ? AND revoked_at IS NULL", id).Update("revoked_at", now)
		if err := res.Error; err != nil {
			return fmt.Errorf("revoke a token: %w", err)
		}
		if res.RowsAffected == 0 {
			return nil // revoked already
		}
		return Audit(ctx, tx, auth.Entry{Actor: by.String(), Action: "token.revoke", Subject: "token:" + t.Name})
	})
}
