package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Snapshot reads several tables as they were at one instant.
func (db *DB) Snapshot(ctx context.Context, read func(g *gorm.DB) error) error {
	var options *sql.TxOptions // on SQLite every transaction sees one instant
	if db.Dialect == Postgres {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := db.Read.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin a snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return read(db.gormOn(ctx, tx))
}

// Earliest is the one time that a query returns, such as min(due_at), in UTC; nil for
// NULL.
func (db *DB) Earliest(ctx context.Context, query string, args ...any) (*time.Time, error) {
	var value any
	if err := db.Read.QueryRowContext(ctx, db.Rebind(query), args...).Scan(&value); err != nil {
		return nil, fmt.Errorf("read the next due time: %w", err)
	}
	switch v := value.(type) {
	case time.Time:
		v = v.UTC()
		return &v, nil
	case string: // SQLite forgets the type of a column inside an aggregate
		at, err := time.Parse("2006-01-02 15:04:05.999999999-07:00", v)
		if err != nil {
			return nil, fmt.Errorf("read the next due time: %w", err)
		}
		return &at, nil
	default:
		return nil, nil
	}
}

// ReadAll fills slices with whole tables, in the given order.
func ReadAll(g *gorm.DB, order string, into ...any) error {
	for _, rows := range into {
		if err := g.Order(order).Find(rows).Error; err != nil {
			return fmt.Errorf("read the configuration: %w", err)
		}
	}
	return nil
}

// InUTC is the same instant in UTC; nil stays nil.
func InUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// GormWrite is gorm for a single statement that writes, without a transaction of its
// own.
func (db *DB) GormWrite(ctx context.Context) *gorm.DB { return db.gorm.WithContext(ctx) }

// GormRead is gorm for a page's queries.
func (db *DB) GormRead(ctx context.Context) *gorm.DB { return db.gormRO.WithContext(ctx) }
