package incident

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// asksPerson is the condition that a request on an incident waits for a person's answer.
const asksPerson = `EXISTS (SELECT 1 FROM pages rp JOIN escalations re ON re.id = rp.escalation_id
	WHERE rp.incident_number = i.number AND rp.user_id = ? AND NOT rp.shadow AND rp.` + paging.Answerable + ` AND re.request <> '' AND re.state = '` + paging.Active + `')`

// PagedBy are the open incidents that the owner of a contact method was paged
// for by it and that wait for an answer: nobody has acknowledged them, the owner is
// asked whether they are still on it, or a request asks them. With theirs they are also those
// that the owner has acknowledged. The newest come first; of all that total
// counts, there are at most limit. Served by incidents_open and pages_incident.
func (s *Store) PagedBy(ctx context.Context, method notify.ContactMethod, theirs bool, limit int) (rows []incident.Row, total int, err error) {
	waiting := func(g *gorm.DB) *gorm.DB {
		return g.Where("i."+paging.OpenIncident).
			Where("(i.status = '"+string(incident.Triggered)+"' OR i.owner_id = ? AND (? OR i.asked_at IS NOT NULL) OR "+asksPerson+")", method.UserID, theirs, method.UserID).
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
	g := s.db.GormRead(ctx)
	var last []int64
	err := g.Table("messages").Where("user_id = ? AND contact_method_id = ? AND kind = ? AND attempts > 0", method.UserID, method.ID, notify.KindPage).
		Order("COALESCE(sent_at, created_at) DESC, id DESC").Limit(1).Pluck("id", &last).Error
	if err != nil {
		return nil, fmt.Errorf("read the last message: %w", err)
	}
	if len(last) == 0 {
		return nil, nil
	}
	var numbers []int64
	sent := g.Table("attempts").Select("min(started_at)").Where("message_id = ?", last[0])
	err = g.Table("message_pages AS mp").Joins("JOIN pages p ON p.id = mp.page_id").
		Where("mp.message_id = ? AND (p.ended_at IS NULL OR p.state = ? OR p.ended_at >= (?))", last[0], paging.Superseded, sent).
		Order("p.incident_number").Distinct().Pluck("p.incident_number", &numbers).Error
	if err != nil {
		return nil, fmt.Errorf("read the incidents of the last message: %w", err)
	}
	return numbers, nil
}
