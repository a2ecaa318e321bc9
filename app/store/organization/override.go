package organization

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// AddOverride keeps an override that somebody made, and returns it as it acts
// from now on. Steps that wait for an answer look again who is on call.
func (s *Store) AddOverride(ctx context.Context, by auth.Actor, scheduleID int64, o oncall.Override) (oncall.Override, error) {
	if err := o.Validate(); err != nil {
		return o, err
	}
	return db.Returning(ctx, s.db, func(tx *db.Tx) (oncall.Override, error) {
		if err := tx.RaiseConfigVersion(ctx); err != nil {
			return oncall.Override{}, err
		}
		var schedule scheduleRow
		if err := tx.Gorm.Where("id = ?", scheduleID).Take(&schedule).Error; errors.Is(err, gorm.ErrRecordNotFound) {
			return oncall.Override{}, fault.NotFound("There is no such schedule any more.")
		} else if err != nil {
			return oncall.Override{}, fmt.Errorf("read a schedule: %w", err)
		}
		now := s.db.Now()
		row := newOverrideRow(scheduleID, o, fromApp, by, now)
		if err := tx.Gorm.Create(&row).Error; err != nil {
			return oncall.Override{}, fmt.Errorf("keep an override: %w", err)
		}
		entry := auth.Entry{At: now, Actor: by.String(), Action: "override.create", Subject: "schedule:" + schedule.Slug,
			Detail: map[string]any{"override": row.ID, "kind": o.Kind, "from": row.FromAt, "to": row.ToAt, "position": o.Position, "out": o.Out, "in": o.In}}
		if err := access.Audit(ctx, tx, entry); err != nil {
			return oncall.Override{}, err
		}
		return row.override(), paging.WakeEscalations(ctx, tx, now)
	})
}
