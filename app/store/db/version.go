package db

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// The configuration has two versions: config is raised by changes that signals and
// routes depend on, people by changes of contact methods, personal rules and
// passwords. Their sum, the revision, is raised by every change.

// ConfigVersions are the versions of the configuration as it is now.
func (db *DB) ConfigVersions(ctx context.Context) (config, people int64, err error) {
	if err := db.Read.QueryRowContext(ctx, "SELECT config_version, people_version FROM organization").Scan(&config, &people); err != nil {
		return 0, 0, fmt.Errorf("read the versions of the configuration: %w", err)
	}
	return config, people, nil
}

// RaiseConfigVersion begins a change of configuration. It locks the organisation's
// row, so that such changes, in however many processes, happen one by one.
func (tx *Tx) RaiseConfigVersion(ctx context.Context) error {
	return tx.raiseVersion(ctx, "UPDATE organization SET config_version = config_version + 1 WHERE id = 1")
}

// RaisePeopleVersion begins a change of contact methods, personal rules or a
// password, with the lock of RaiseConfigVersion. Signals that are queued stay
// valid.
func (tx *Tx) RaisePeopleVersion(ctx context.Context) error {
	return tx.raiseVersion(ctx, "UPDATE organization SET people_version = people_version + 1 WHERE id = 1")
}

func (tx *Tx) raiseVersion(ctx context.Context, query string) error {
	if _, err := tx.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("raise the version of the configuration: %w", err)
	}
	return tx.Publish(ctx, Wakeup{Work: ToReload})
}

// ClaimRevision is RaiseConfigVersion for a caller who read a revision. Fault:
// Conflict where the configuration has another revision now.
func (tx *Tx) ClaimRevision(ctx context.Context, revision int64) error {
	if err := tx.RaiseConfigVersion(ctx); err != nil {
		return err
	}
	var now int64
	if err := tx.QueryRowContext(ctx, "SELECT config_version + people_version FROM organization").Scan(&now); err != nil {
		return fmt.Errorf("read the revision of the configuration: %w", err)
	}
	if now != revision+1 {
		return fault.Conflict("The configuration was changed in the meantime. Look at what is to be changed again.")
	}
	return nil
}

// ReadConfigVersion reads the version that signals and routes depend on.
func ReadConfigVersion(into *int64) Statement {
	return Statement{Name: "read the version of the configuration", Query: "SELECT config_version FROM organization",
		Each: func(scan func(...any) error) error { return scan(into) }}
}

// ReadRevision reads the revision of the configuration.
func ReadRevision(into *int64) Statement {
	return Statement{Name: "read the revision of the configuration", Query: "SELECT config_version + people_version FROM organization",
		Each: func(scan func(...any) error) error { return scan(into) }}
}
