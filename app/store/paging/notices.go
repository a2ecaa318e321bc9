package paging

import (
	"context"
	"fmt"
	"time"

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

// ForgetCodes deletes the verification codes from the messages that were queued up to
// an instant, and withdraws those that still wait: nobody can use them any more. A
// message that is being sent is left for the next time. Served by messages_codes.
func ForgetCodes(ctx context.Context, d *db.DB, before time.Time) error {
	return d.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE messages SET body = '', due_at = NULL, state = CASE WHEN state = '`+Queued+`' THEN '`+Withdrawn+`' ELSE state END
			WHERE kind = '`+string(notify.KindVerify)+`' AND body <> '' AND created_at <= $1 AND state <> '`+Sending+`'`, before)
		if err != nil {
			return fmt.Errorf("delete verification codes: %w", err)
		}
		return nil
	})
}
