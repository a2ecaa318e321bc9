package db

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// ConfigVersion is what every change of configuration raises.
func (db *DB) ConfigVersion(ctx context.Context) (int64, error) {
	var version int64
	if err := db.Read.QueryRowContext(ctx, "SELECT config_version FROM organization").Scan(&version); err != nil {
		return 0, fmt.Errorf("read the version of the configuration: %w", err)
	}
	return version, nil
}

// RaiseConfigVersion begins a change of configuration, of which people are a
// part: it raises the version, which locks the organisation's row, so that such
// changes, in however many processes, happen one by one.
func (tx *Tx) RaiseConfigVersion(ctx context.Context) error {
	if _, err := tx.ExecContext(ctx, "UPDATE organization SET config_version = config_version + 1 WHERE id = 1"); err != nil {
		return fmt.Errorf("raise the version of the configuration: %w", err)
	}
	return tx.Publish(ctx, News{Work: ToReload})
}

// ClaimConfigVersion is changeConfiguration for whoever has seen a version.
func (tx *Tx) ClaimConfigVersion(ctx context.Context, version int64) error {
	if err := tx.RaiseConfigVersion(ctx); err != nil {
		return err
	}
	var now int64
	if err := tx.QueryRowContext(ctx, "SELECT config_version FROM organization").Scan(&now); err != nil {
		return fmt.Errorf("read the version of the configuration: %w", err)
	}
	if now != version+1 {
		return fault.Conflict("The configuration was changed in the meantime. Look at what is to be changed again.")
	}
	return nil
}

// ReadConfigVersion reads the version of the configuration.
func ReadConfigVersion(into *int64) Statement {
	return Statement{Name: "read the version of the configuration", Query: "SELECT config_version FROM organization",
		Each: func(scan func(...any) error) error { return scan(into) }}
}
