package organization

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// tellManagers sends a notice to the managers of the teams of a person who is
// deactivated, but not to whoever does it: by email, else by the first method in use.
func (a *applier) tellManagers(ctx context.Context, u auth.User) error {
	var teams []catalog.Team
	err := a.tx.Gorm.Where("manager_id IS NOT NULL AND manager_id NOT IN ? AND id IN (SELECT team_id FROM team_members WHERE user_id = ?)", []int64{u.ID, a.by.UserID}, u.ID).
		Order("name, id").Find(&teams).Error
	if err != nil {
		return fmt.Errorf("read the teams of a person: %w", err)
	}
	names := map[int64][]string{}
	for _, t := range teams {
		names[*t.ManagerID] = append(names[*t.ManagerID], t.Name)
	}
	var told []int64
	for _, t := range teams {
		if slices.Contains(told, *t.ManagerID) {
			continue
		}
		told = append(told, *t.ManagerID)
		if err := a.tellManager(ctx, *t.ManagerID, u.Name, names[*t.ManagerID]); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) tellManager(ctx context.Context, manager int64, name string, teams []string) error {
	var methods []notify.ContactMethod
	if err := a.tx.Gorm.Where("user_id = ? AND EXISTS (SELECT 1 FROM users WHERE id = user_id AND active)", manager).Order("id").Find(&methods).Error; err != nil {
		return fmt.Errorf("read the contact methods of a manager: %w", err)
	}
	methods = slices.DeleteFunc(methods, func(m notify.ContactMethod) bool { return !m.Usable() })
	if len(methods) == 0 {
		return nil
	}
	to := methods[0]
	if i := slices.IndexFunc(methods, func(m notify.ContactMethod) bool { return m.Medium == notify.Email }); i >= 0 {
		to = methods[i]
	}
	text := fmt.Sprintf("%s of %s was deactivated in Tocsin. The next member of each rotation covers. Check the schedules.", name, strings.Join(teams, ", "))
	return paging.QueueNotice(ctx, a.tx, notify.KindNotice, to, incident.Low, text, a.now)
}
