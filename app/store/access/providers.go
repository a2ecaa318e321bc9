package access

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/provider"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

var _ provider.Store = (*Store)(nil)

// ProvidersVersion implements provider.Store.
func (s *Store) ProvidersVersion(ctx context.Context) (version int64, err error) {
	if err := s.db.Read.QueryRowContext(ctx, "SELECT providers_version FROM organization").Scan(&version); err != nil {
		return 0, fmt.Errorf("read the version of the providers: %w", err)
	}
	return version, nil
}

// Providers implements provider.Store.
func (s *Store) Providers(ctx context.Context) (version int64, all []provider.Stored, err error) {
	err = s.db.Snapshot(ctx, func(g *gorm.DB) error {
		if err := g.Table("organization").Pluck("providers_version", &version).Error; err != nil {
			return err
		}
		return g.Order("provider").Find(&all).Error
	})
	if err != nil {
		return 0, nil, fmt.Errorf("read the settings of providers: %w", err)
	}
	return version, all, nil
}

// SaveProvider implements provider.Store.
func (s *Store) SaveProvider(ctx context.Context, by auth.Actor, row provider.Stored, version int64) error {
	return s.changeProviders(ctx, by, "provider.save", row.Provider, version, func(tx *db.Tx) error {
		return tx.Gorm.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
	})
}

// RemoveProvider implements provider.Store.
func (s *Store) RemoveProvider(ctx context.Context, by auth.Actor, name string, version int64) error {
	return s.changeProviders(ctx, by, "provider.remove", name, version, func(tx *db.Tx) error {
		return tx.Gorm.Delete(&provider.Stored{}, "provider = ?", name).Error
	})
}

// changeProviders raises the version of people too, since who can be reached depends on
// the media that work, and has incidents try again that nobody could be paged for.
func (s *Store) changeProviders(ctx context.Context, by auth.Actor, action, name string, version int64, change func(*db.Tx) error) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.RaisePeopleVersion(ctx); err != nil {
			return err
		}
		raised, err := tx.ExecContext(ctx, "UPDATE organization SET providers_version = providers_version + 1 WHERE id = 1 AND providers_version = $1", version)
		if err != nil {
			return fmt.Errorf("raise the version of the providers: %w", err)
		}
		if n, err := raised.RowsAffected(); err != nil {
			return fmt.Errorf("raise the version of the providers: %w", err)
		} else if n == 0 {
			return fault.Conflict("Someone else changed the channels first. Look at them again.")
		}
		if err := change(tx); err != nil {
			return fmt.Errorf("change the settings of a provider: %w", err)
		}
		if err := paging.WakeUnreached(ctx, tx, tx.DB.Now()); err != nil {
			return err
		}
		return Audit(ctx, tx, auth.Entry{Actor: by.String(), Action: action, Subject: "provider:" + name})
	})
}
