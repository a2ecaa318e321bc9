package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// perStatement bounds how many entries are inserted at once.
const perStatement = 500

// Audit adds entries to the audit log, in the transaction of the change.
func Audit(ctx context.Context, tx *db.Tx, entries ...auth.Entry) error {
	rows := slices.Clone(entries)
	for i := range rows {
		e := &rows[i]
		if e.At.IsZero() {
			e.At = tx.DB.Now()
		}
		if e.Detail == nil {
			e.Detail = map[string]any{}
		}
	}
	if err := tx.Gorm.CreateInBatches(&rows, perStatement).Error; err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

// AuditLog implements auth.Store.
func (s *Store) AuditLog(ctx context.Context, q auth.AuditQuery) ([]auth.Entry, error) {
	g := s.db.GormRead(ctx).Order("id DESC").Limit(q.Limit)
	if q.Before > 0 {
		g = g.Where("id < ?", q.Before)
	}
	if q.Subject != "" {
		g = g.Where("subject = ?", q.Subject)
	}
	if q.Actor != "" {
		g = g.Where("actor = ?", q.Actor)
	}
	var entries []auth.Entry
	if err := g.Find(&entries).Error; err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return entries, nil
}
