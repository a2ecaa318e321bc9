package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

func (a *applier) user(ctx context.Context, u blueprint.User, fresh bool) error {
	row := auth.User{CreatedAt: a.now}
	if !fresh {
		if err := a.tx.Gorm.Where("email = ?", u.Email).Take(&row).Error; err != nil {
			return err
		}
	}
	if row.Active && u.Deactivated {
		row.SessionEpoch++ // ends every session
		if err := a.tx.leave(ctx, row.ID, u.Name); err != nil {
			return err
		}
	}
	row.Email, row.Name, row.Role, row.Timezone, row.Active = u.Email, u.Name, auth.Role(u.Role), u.Timezone, !u.Deactivated
	if err := a.save(&row, &row.ID, a.users, u.Email); err != nil {
		return err
	}
	methods, err := a.contacts(ctx, row.ID, u.Contacts)
	if err != nil {
		return err
	}
	return a.rules(row.ID, u.Rules, methods)
}

// contacts adds the contact methods that the person does not have, corrects those
// that the plan has otherwise, and returns the ids of all by their slug.
func (a *applier) contacts(ctx context.Context, userID int64, contacts []blueprint.Contact) (map[string]int64, error) {
	var rows []notify.ContactMethod
	if err := a.tx.Gorm.Where("user_id = ?", userID).Find(&rows).Error; err != nil {
		return nil, err
	}
	has := map[string]notify.ContactMethod{}
	for _, r := range rows {
		has[r.Slug] = r
	}
	ids := map[string]int64{}
	for _, c := range contacts {
		row, known := has[c.ID]
		same := known && string(row.Medium) == c.Type && row.Address == c.Value
		if same && (row.VerifiedAt != nil || !c.Verified) {
			ids[c.ID] = row.ID
			continue
		}
		if !same { // what was proved and switched off was the old address
			row = notify.ContactMethod{ID: row.ID, UserID: userID, Slug: c.ID, Medium: notify.Medium(c.Type), Address: c.Value, CreatedAt: a.now, FromFile: true}
		}
		if c.Verified {
			row.VerifiedAt = &a.now
		}
		if known && !same {
			if err := a.tx.tellOthers(ctx, slices.DeleteFunc(slices.Clone(rows), func(m notify.ContactMethod) bool { return m.ID == row.ID }),
				fmt.Sprintf("Your %s contact in Tocsin was replaced. If it was not you, tell an administrator.", row.Medium)); err != nil {
				return nil, err
			}
		}
		if err := a.save(&row, &row.ID, ids, c.ID); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// rules adds the rules of an urgency for which the person has none.
func (a *applier) rules(userID int64, rules []blueprint.Rule, methods map[string]int64) error {
	var has []notify.Rule
	if err := a.tx.Gorm.Where("user_id = ?", userID).Find(&has).Error; err != nil {
		return err
	}
	own := map[string]bool{}
	for _, r := range has {
		own[r.Urgency] = true
	}
	for _, r := range rules {
		if own[r.Urgency] {
			continue
		}
		row := notify.Rule{UserID: userID, Urgency: r.Urgency, AfterSeconds: seconds(r.After), ContactMethodID: methods[r.Contact]}
		if err := a.tx.Gorm.Create(&row).Error; err != nil {
			return err
		}
	}
	return nil
}
