package incident

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// PagedBy are the open incidents that the owner of a contact method was paged
// for by it and that wait for an answer: nobody has acknowledged them, or the
// owner is asked whether they are still on it. With theirs they are also those
// that the owner has acknowledged. The newest come first; of all that total
// counts, there are at most limit. Served by incidents_open and pages_incident.
func (s *Store) PagedBy(ctx context.Context, method notify.ContactMethod, theirs bool, limit int) (rows []incident.Row, total int, err error) {
	waiting := func(g *gorm.DB) *gorm.DB {
		return g.Where("i."+paging.OpenIncident).
			Where("(i.status = '"+string(incident.Triggered)+"' OR i.owner_id = ? AND (? OR i.asked_at IS NOT NULL))", method.UserID, theirs).
			Where(`EXISTS (SELECT 1 FROM pages pg JOIN message_pages mp ON mp.page_id = pg.id JOIN messages m ON m.id = mp.message_id
				WHERE pg.incident_number = i.number AND pg.user_id = ? AND m.contact_method_id = ? AND m.attempts > 0)`, method.UserID, method.ID)
	}
	if err := waiting(s.incidentRows(ctx)).Order("i.number DESC").Limit(limit).Scan(&rows).Error; err != nil {
		return nil, 0, fmt.Errorf("read incidents paged by a contact method: %w", err)
	}
	if len(rows) < limit {
		return rows, len(rows), nil
	}
	var count int64
	if err := waiting(s.db.GormRead(ctx).Table("incidents AS i")).Count(&count).Error; err != nil {
		return nil, 0, fmt.Errorf("count incidents paged by a contact method: %w", err)
	}
	return rows, max(int(count), len(rows)), nil
}

// LastListed are the incidents of the last page message by a contact method, lowest
// number first. Those answered before the message was sent were not in it.
func (s *Store) LastListed(ctx context.Context, method notify.ContactMethod) ([]int64, error) {
	var message int64
	err := s.db.Read.QueryRowContext(ctx, s.db.Rebind(`SELECT id FROM messages WHERE user_id = $1 AND contact_method_id = $2 AND kind = '`+string(notify.KindPage)+`' AND attempts > 0
		ORDER BY COALESCE(sent_at, created_at) DESC, id DESC LIMIT 1`), method.UserID, method.ID).Scan(&message)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last message: %w", err)
	}
	numbers, err := s.db.Ints(ctx, `SELECT DISTINCT p.incident_number FROM message_pages mp JOIN pages p ON p.id = mp.page_id
		WHERE mp.message_id = $1 AND (p.ended_at IS NULL OR p.state = '`+paging.Superseded+`' OR p.ended_at >= (SELECT min(a.started_at) FROM attempts a WHERE a.message_id = $1))
		ORDER BY p.incident_number`, message)
	if err != nil {
		return nil, fmt.Errorf("read the incidents of the last message: %w", err)
	}
	return numbers, nil
}
