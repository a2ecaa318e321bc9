package incident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"gorm.io/gorm/clause"

	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// ReportsKept is how long reports are kept after their interval began: a year can be
// compared with the one before by its months.
const ReportsKept = 25 * 31 * 24 * time.Hour

// reportRow is a row of slo_reports. The fingerprint is of the names and the end of the
// interval.
type reportRow struct {
	ingest.RecordedReport
	Fingerprint string
}

// reportIdentity is the unique index slo_reports_interval.
var reportIdentity = []clause.Column{{Name: "service_id"}, {Name: "interval_from"}, {Name: "fingerprint"}}

// RecordReports implements ingest.Reports. It deletes the service's reports that are
// older than ReportsKept.
func (s *Store) RecordReports(ctx context.Context, reports []ingest.RecordedReport) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		for _, r := range reports {
			r.From, r.To, r.ReceivedAt = r.From.UTC(), r.To.UTC(), r.ReceivedAt.UTC()
			sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d", r.SLOName, r.SLI, r.Endpoint, r.Deployment, r.To.UnixMicro()))
			if r.SLA {
				sum = sha256.Sum256(append(sum[:], "sla"...))
			}
			row := reportRow{RecordedReport: r, Fingerprint: hex.EncodeToString(sum[:])}
			if err := tx.Gorm.Clauses(clause.OnConflict{Columns: reportIdentity, UpdateAll: true}).Create(&row).Error; err != nil {
				return fmt.Errorf("record a report: %w", err)
			}
			err := tx.Gorm.Where("service_id = ? AND interval_from < ?", r.ServiceID, r.ReceivedAt.Add(-ReportsKept)).Delete(&ingest.RecordedReport{}).Error
			if err != nil {
				return fmt.Errorf("delete old reports: %w", err)
			}
		}
		return nil
	})
}
