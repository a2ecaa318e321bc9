package organization

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// IntegrationKey decrypts an integration's key.
func (s *Store) IntegrationKey(ctx context.Context, keys *auth.Keyring, slug string) (string, error) {
	i, err := s.integration(ctx, slug)
	if err != nil {
		return "", err
	}
	key, err := keys.Unseal(i.KeySealed)
	if err != nil {
		return "", fmt.Errorf("decrypt the key of integration %s: %w", slug, err)
	}
	return key, nil
}

// RevealKey decrypts an integration's key, and audits that the actor saw it.
func (s *Store) RevealKey(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string) (string, error) {
	return s.reveal(ctx, by, keys, slug, func(*db.Tx, auth.Entry) (bool, error) { return false, nil })
}

// ShowKey is RevealKey for a page that always shows the key: it audits only the first
// time that the actor sees the key since the integration was last changed.
func (s *Store) ShowKey(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string) (string, error) {
	return s.reveal(ctx, by, keys, slug, func(tx *db.Tx, e auth.Entry) (bool, error) {
		var known bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM audit_log WHERE subject = $1 AND action = $2 AND actor = $3
			AND id > COALESCE((SELECT max(c.id) FROM audit_log c WHERE c.subject = $1 AND c.action IN ('integration.create', 'integration.update')), 0))`,
			e.Subject, e.Action, e.Actor).Scan(&known)
		if err != nil {
			return false, fmt.Errorf("read the audit log of a key: %w", err)
		}
		return known, nil
	})
}

func (s *Store) reveal(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string, known func(*db.Tx, auth.Entry) (bool, error)) (string, error) {
	key, err := s.IntegrationKey(ctx, keys, slug)
	if err != nil {
		return "", err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		e := auth.Entry{Actor: by.String(), Action: "integration.reveal_key", Subject: "integration:" + slug}
		if seen, err := known(tx, e); err != nil || seen {
			return err
		}
		return access.Audit(ctx, tx, e)
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

// integration is the integration with a slug. Fault: NotFound.
func (s *Store) integration(ctx context.Context, slug string) (catalog.Integration, error) {
	var i catalog.Integration
	err := s.db.GormRead(ctx).Where("slug = ?", slug).Take(&i).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return i, fault.NotFound("There is no integration %s.", slug)
	}
	if err != nil {
		return i, fmt.Errorf("read an integration: %w", err)
	}
	return i, nil
}
