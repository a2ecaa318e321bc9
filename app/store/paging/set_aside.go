package paging

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// setAside moves the pages that claimed messages leave out, since they were answered,
// into withdrawn messages of their own: what is sent then holds only pages that it
// tells of. The attempts made with these pages in them are copied. An undo sends the
// withdrawn message: see revivePages.
func setAside(ctx context.Context, tx *db.Tx, sending []*DueMessage) error {
	byID := map[int64]*DueMessage{}
	var ids []int64
	for _, f := range sending {
		if f.Kind == notify.KindPage {
			byID[f.ID] = f
			ids = append(ids, f.ID)
		}
	}
	if ids == nil {
		return nil
	}
	answered, err := answeredPages(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if pages := answered[id]; pages != nil {
			if err := failLostAttempt(ctx, tx, byID[id]); err != nil {
				return err
			}
			if err := moveAside(ctx, tx, id, pages); err != nil {
				return err
			}
		}
	}
	return nil
}

// answeredPages are the pages of messages that an answer does not count for any more, by
// message: an acknowledgment and a resolve withdraw those of their incident.
func answeredPages(ctx context.Context, tx *db.Tx, messages []int64) (map[int64][]int64, error) {
	where, args := tx.DB.In("mp.message_id", 1, messages)
	answered := map[int64][]int64{}
	err := tx.Query(ctx, db.Statement{
		Name:  "read answered pages of messages",
		Query: `SELECT mp.message_id, mp.page_id FROM message_pages mp ` + pagesOf(tx.DB) + ` WHERE ` + where + " AND NOT pg." + Answerable,
		Args:  args,
		Each: func(scan func(...any) error) error {
			var message, page int64
			err := scan(&message, &page)
			answered[message] = append(answered[message], page)
			return err
		},
	})
	return answered, err
}

func moveAside(ctx context.Context, tx *db.Tx, message int64, pages []int64) error {
	const copied = "kind, user_id, contact_method_id, medium, address, body, urgency, priority, attempts, provider_id, failure, fallback_of, created_at"
	made, err := tx.Ints(ctx, "INSERT INTO messages ("+copied+", gathering, state) SELECT "+copied+", false, '"+Withdrawn+"' FROM messages WHERE id = $1 RETURNING id", message)
	if err != nil || len(made) != 1 {
		return fmt.Errorf("set answered pages aside: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO attempts (message_id, number, state, again, again_next, provider_id, error, started_at, finished_at)
		SELECT $1, number, state, again, again_next, provider_id, error, started_at, finished_at FROM attempts WHERE message_id = $2`, made[0], message); err != nil {
		return fmt.Errorf("copy the attempts of answered pages: %w", err)
	}
	where, args := tx.DB.In("page_id", 3, pages)
	if _, err := tx.ExecContext(ctx, "UPDATE message_pages SET message_id = $1 WHERE message_id = $2 AND "+where, append([]any{made[0], message}, args...)...); err != nil {
		return fmt.Errorf("set answered pages aside: %w", err)
	}
	return nil
}
