package incident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"gorm.io/gorm/clause"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// changeRow is a row of changes.
type changeRow struct {
	ingest.RecordedChange
	Fingerprint string
}

// RecordChanges implements ingest.Changes.
func (s *Store) RecordChanges(ctx context.Context, changes []ingest.RecordedChange) error {
	rows := make([]changeRow, len(changes))
	for i, c := range changes {
		if c.Links == nil {
			c.Links = []incident.Link{}
		}
		if c.Details == nil {
			c.Details = []incident.Pair{}
		}
		c.At, c.ReceivedAt = c.At.UTC(), c.ReceivedAt.UTC()
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q", c.IntegrationID, c.Summary, c.Source))
		rows[i] = changeRow{RecordedChange: c, Fingerprint: hex.EncodeToString(sum[:])}
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.Gorm.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error; err != nil {
			return fmt.Errorf("record changes: %w", err)
		}
		return nil
	})
}

// ChangesBefore are the last changes of a service that took place at or before an
// instant, newest first. Served by changes_service.
func (s *Store) ChangesBefore(ctx context.Context, serviceID int64, at time.Time, limit int) ([]ingest.RecordedChange, error) {
	var changes []ingest.RecordedChange
	err := s.db.GormRead(ctx).Where("service_id = ? AND at <= ?", serviceID, at.UTC()).Order("at DESC, id DESC").Limit(limit).Find(&changes).Error
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return changes, nil
}
