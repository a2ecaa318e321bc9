package incident

import (
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// knownResolve reads what the last resolve of an incident ended. Served by
// timeline_events_incident.
func knownResolve(g *gorm.DB, number int64, ended *incident.Ended) error {
	var last eventRow
	err := g.Where("incident_number = ? AND kind = ?", number, incident.EvResolved).Order("id DESC").Take(&last).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the last resolve: %w", err)
	}
	if p, ok := last.event().Payload.(incident.ResolvedPayload); ok && p.Ended != nil {
		*ended = *p.Ended
	}
	return nil
}

// reopenAlerts makes the alerts fire again that a resolve by hand ended at an
// instant.
func reopenAlerts(g *gorm.DB, number int64, ended time.Time) error {
	err := g.Model(&incident.Alert{}).Where("incident_number = ? AND NOT firing AND resolved_at = ?", number, ended).
		Updates(map[string]any{"firing": true, "resolved_at": nil}).Error
	if err != nil {
		return fmt.Errorf("reopen alerts: %w", err)
	}
	return nil
}
