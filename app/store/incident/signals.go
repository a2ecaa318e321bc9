package incident

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

var _ ingest.Rejections = (*Store)(nil)

// LastSignals are the alerts whose last signal came by an integration, the
// latest first.
func (s *Store) LastSignals(ctx context.Context, integrationID int64, limit int) ([]incident.Alert, error) {
	var alerts []incident.Alert
	err := s.db.GormRead(ctx).Where("integration_id = ?", integrationID).Order("last_seen_at DESC, id DESC").Limit(limit).Find(&alerts).Error
	if err != nil {
		return nil, fmt.Errorf("read the last signals: %w", err)
	}
	return alerts, nil
}

// MaxRejections bounds the rejected signals that are kept of each integration; the
// oldest are deleted.
const MaxRejections = 200

// Reject implements ingest.Rejections.
func (s *Store) Reject(ctx context.Context, r ingest.Rejection) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		row := r
		if row.Fields == nil {
			row.Fields = []ingest.RejectedField{}
		}
		if row.Body == nil {
			row.Body = []byte{}
		}
		if err := tx.Gorm.Create(&row).Error; err != nil {
			return fmt.Errorf("insert a rejected signal: %w", err)
		}
		// The newest to delete is found by rejected_signals_integration.
		newest := tx.Gorm.Model(&ingest.Rejection{}).Select("id").Where("integration_id = ?", row.IntegrationID).Order("id DESC").Limit(1).Offset(MaxRejections)
		if err := tx.Gorm.Where("integration_id = ? AND id <= (?)", row.IntegrationID, newest).Delete(&ingest.Rejection{}).Error; err != nil {
			return fmt.Errorf("delete old rejected signals: %w", err)
		}
		return nil
	})
}

// Rejection implements ingest.Rejections.
func (s *Store) Rejection(ctx context.Context, id int64) (ingest.Rejection, error) {
	var r ingest.Rejection
	err := s.db.GormRead(ctx).Where("id = ?", id).Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return r, fault.NotFound("There is no such rejected signal.")
	}
	if err != nil {
		return r, fmt.Errorf("read a rejected signal: %w", err)
	}
	return r, nil
}

// Rejections is a page of an integration's rejected signals, newest first.
// before is the last id of the page before, or 0.
func (s *Store) Rejections(ctx context.Context, integrationID, before int64, limit int) ([]ingest.Rejection, error) {
	g := s.db.GormRead(ctx).Where("integration_id = ?", integrationID).Order("id DESC").Limit(limit)
	if before > 0 {
		g = g.Where("id < ?", before)
	}
	var rejections []ingest.Rejection
	if err := g.Find(&rejections).Error; err != nil {
		return nil, fmt.Errorf("list rejected signals: %w", err)
	}
	return rejections, nil
}

// Replayed implements ingest.Rejections.
func (s *Store) Replayed(ctx context.Context, r ingest.Rejection) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		row := r
		if row.Fields == nil {
			row.Fields = []ingest.RejectedField{}
		}
		if r.ReplayedAt != nil {
			row.ReplayedAt = new(r.ReplayedAt.UTC())
		}
		res := tx.Gorm.Model(&row).Select("ReplayedAt", "ReplayedBy", "ReplayResult", "Fields").Updates(&row)
		if err := res.Error; err != nil {
			return fmt.Errorf("note a replay: %w", err)
		}
		if res.RowsAffected == 0 {
			return fault.NotFound("There is no such rejected signal.")
		}
		return nil
	})
}
