package paging

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// SendNotice implements notice.Store.
func (s *Store) SendNotice(ctx context.Context, event int64, to notify.ContactMethod, text string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		first, err := tx.Ints(ctx, "INSERT INTO notices (event_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING event_id", event, to.UserID)
		if err != nil {
			return fmt.Errorf("record a notice: %w", err)
		}
		if len(first) == 0 {
			return nil
		}
		return QueueNotice(ctx, tx, notify.KindNotice, to, incident.High, text, s.db.Now())
	})
}
