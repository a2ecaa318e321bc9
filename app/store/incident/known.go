package incident

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// knownPaging reads what a decision needs to know of an open incident's escalations,
// and of its last acknowledgment.
func knownPaging(ctx context.Context, tx *db.Tx, inc incident.Incident, k *incident.Known) error {
	if !inc.Open() {
		return nil
	}
	var err error
	if k.Requests, err = paging.ActiveRequests(ctx, tx, inc.Number); err != nil {
		return err
	}
	if inc.Status != incident.Acknowledged {
		return nil
	}
	if k.NextSteps, err = paging.NextSteps(ctx, tx, inc.Number); err != nil {
		return err
	}
	return knownAcknowledgment(tx.Gorm, inc.Number, k)
}

// knownAcknowledgment reads the last acknowledgment, where it was of a triggered
// incident. Served by timeline_events_incident.
func knownAcknowledgment(g *gorm.DB, number int64, k *incident.Known) error {
	var last eventRow
	err := g.Where("incident_number = ? AND kind = ?", number, incident.EvAcknowledged).Order("id DESC").Take(&last).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the last acknowledgment: %w", err)
	}
	p, ok := last.event().Payload.(incident.AcknowledgedPayload)
	if !ok || p.Again {
		return nil
	}
	k.Acknowledgment = &incident.LastAcknowledgment{At: last.At.UTC()}
	if p.Ended != nil {
		k.Acknowledgment.Ended = *p.Ended
	}
	return nil
}
