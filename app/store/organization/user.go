package organization

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

func userKind() kind {
	return kind{
		kind: organization.KindUser, table: "users", key: "email", id: "id", name: "email", permanent: true,
		load: func(l *stateLoad) {
			load(l, &l.s.Users, "id", "id")
			load(l, &l.s.Contacts, "id", "id")
			load(l, &l.s.Rules, "id", "id")
			for i := range l.s.Users {
				l.s.Users[i].PasswordHash = "" // not needed by readers of the configuration
			}
		},
		apply:     applying(applyUser),
		createAll: (*applier).createUsers,
	}
}

// perStatement bounds how many rows are inserted at once. SQLite takes 32,766 parameters
// in a statement.
const perStatement = 500

// createUsers makes new people with their contacts and rules.
func (a *applier) createUsers(changes []organization.Change) error {
	users := make([]organization.User, len(changes))
	rows := make([]auth.User, len(changes))
	for i, c := range changes {
		u, err := valueOf[organization.User](c)
		if err != nil {
			return err
		}
		users[i], rows[i] = u, userRow(auth.User{CreatedAt: a.now}, u, a.now)
	}
	if err := a.tx.Gorm.CreateInBatches(&rows, perStatement).Error; err != nil {
		return err
	}
	var methods []notify.ContactMethod
	for i, u := range users {
		a.numbers[organization.KindUser][u.Email] = rows[i].ID
		for _, c := range u.Contacts {
			methods = append(methods, a.verified(a.corrected(notify.ContactMethod{}, rows[i].ID, c), c))
		}
	}
	if len(methods) > 0 {
		if err := a.tx.Gorm.CreateInBatches(&methods, perStatement).Error; err != nil {
			return err
		}
	}
	ids := map[int64]map[string]int64{}
	for _, m := range methods {
		if ids[m.UserID] == nil {
			ids[m.UserID] = map[string]int64{}
		}
		ids[m.UserID][m.Slug] = m.ID
	}
	var rules []notify.Rule
	for i, u := range users {
		rules = append(rules, ruleRows(rows[i].ID, u.Rules, ids[rows[i].ID])...)
	}
	if len(rules) == 0 {
		return nil
	}
	return a.tx.Gorm.CreateInBatches(&rules, perStatement).Error
}

func userRow(row auth.User, u organization.User, now time.Time) auth.User {
	switch {
	case !u.Deactivated:
		row.DeactivatedAt = nil
	case row.DeactivatedAt == nil:
		row.DeactivatedAt = &now
	}
	row.Email, row.Name, row.Role, row.Timezone, row.Active = u.Email, u.Name, auth.Role(u.Role), u.Timezone, !u.Deactivated
	return row
}

func applyUser(ctx context.Context, a *applier, u organization.User, isNew bool) error {
	row := auth.User{CreatedAt: a.now}
	if !isNew {
		if err := a.tx.Gorm.Where("email = ?", u.Email).Take(&row).Error; err != nil {
			return err
		}
	}
	leaves := row.Active && u.Deactivated
	if leaves {
		row.SessionEpoch++ // ends every session
		if err := paging.WithdrawPerson(ctx, a.tx, row.ID, u.Name); err != nil {
			return err
		}
	}
	if leaves || !isNew && !auth.Role(u.Role).AtLeast(row.Role) {
		if err := a.revokeInvitations(row.Email); err != nil {
			return err
		}
	}
	row = userRow(row, u, a.now)
	if err := a.save(&row, &row.ID, organization.KindUser, u.Email); err != nil {
		return err
	}
	if leaves {
		if err := a.tellManagers(ctx, row); err != nil {
			return err
		}
	}
	methods, err := a.contacts(ctx, row.ID, u.Contacts)
	if err != nil {
		return err
	}
	return a.rules(row.ID, u.Rules, methods)
}

// revokeInvitations revokes the open invitations that a person made who is deactivated
// or gets a lower role: they may be to a role that the person could not invite to any
// more.
func (a *applier) revokeInvitations(email string) error {
	err := a.tx.Gorm.Model(&auth.Invitation{}).Where("created_by = ? AND used_at IS NULL AND revoked_at IS NULL", email).
		Update("revoked_at", a.now).Error
	if err != nil {
		return fmt.Errorf("revoke the invitations of a person: %w", err)
	}
	return nil
}

// contacts adds missing contact methods, corrects those that differ from the plan,
// and returns the ids of all by their slug. A correction of a method in use replaces
// it at once only where the correction is verified; otherwise it waits for its
// verification, as a replacement by the owner does.
func (a *applier) contacts(ctx context.Context, userID int64, contacts []organization.Contact) (map[string]int64, error) {
	rows, err := a.withoutWithdrawn(ctx, userID, contacts)
	if err != nil {
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
		if !same && row.Usable() && !c.Verified {
			ids[c.ID] = row.ID
			if err := a.correctLater(row, c, has, contacts); err != nil {
				return nil, err
			}
			continue
		}
		if !same {
			if err := a.notifyCorrection(ctx, row, rows); err != nil {
				return nil, err
			}
			row = a.corrected(row, userID, c)
		}
		row = a.verified(row, c)
		if err := insertOrUpdate(a.tx.Gorm, &row, row.ID); err != nil {
			return nil, err
		}
		ids[c.ID] = row.ID
	}
	return ids, nil
}

// withoutWithdrawn reads a person's methods, without those that cannot be read,
// and removes the corrections that no file asks for any more.
func (a *applier) withoutWithdrawn(ctx context.Context, userID int64, contacts []organization.Contact) ([]notify.ContactMethod, error) {
	var rows []notify.ContactMethod
	l := &stateLoad{g: a.tx.Gorm.Where("user_id = ?", userID).Session(&gorm.Session{}), s: &organization.State{}}
	if load(l, &rows, "id", "id"); l.err != nil {
		return nil, l.err
	}
	var left []notify.ContactMethod
	for _, r := range rows {
		asked := slices.ContainsFunc(contacts, func(c organization.Contact) bool { return c.ID == r.Slug })
		if asked || !r.FromFile || r.ReplacesID == nil {
			left = append(left, r)
		} else if err := access.DropContact(ctx, a.tx, r.ID, nil); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// correctLater adds a correction that waits for its verification, under a slug of its
// own.
func (a *applier) correctLater(present notify.ContactMethod, c organization.Contact, has map[string]notify.ContactMethod, contacts []organization.Contact) error {
	slug, taken := "", true
	for i := 2; taken; i++ {
		slug = fmt.Sprintf("%s-%d", c.ID, i)
		_, taken = has[slug]
		taken = taken || slices.ContainsFunc(contacts, func(c organization.Contact) bool { return c.ID == slug })
	}
	row := notify.ContactMethod{UserID: present.UserID, Slug: slug, Medium: notify.Medium(c.Type), Address: c.Value,
		ReplacesID: &present.ID, CreatedAt: a.now, FromFile: true}
	if err := a.tx.Gorm.Create(&row).Error; err != nil {
		return err
	}
	has[slug] = row
	return nil
}

// notifyCorrection sends a notice to the person's other methods that one in use was
// replaced.
func (a *applier) notifyCorrection(ctx context.Context, was notify.ContactMethod, rows []notify.ContactMethod) error {
	if !was.Usable() {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(rows), func(m notify.ContactMethod) bool { return m.ID == was.ID })
	return access.NotifyMethods(ctx, a.tx, others, fmt.Sprintf("Your %s contact in Tocsin was replaced by a configuration file. If you did not expect it, tell an administrator.", was.Medium))
}

// corrected is a method with the address of the file. What was proved was the old
// one; that the old one was switched off is remembered, in case it comes back.
func (a *applier) corrected(was notify.ContactMethod, userID int64, c organization.Contact) notify.ContactMethod {
	row := notify.ContactMethod{ID: was.ID, UserID: userID, Slug: c.ID, Medium: notify.Medium(c.Type), Address: c.Value,
		ReplacesID: was.ReplacesID, CreatedAt: a.now, FromFile: true, StoppedAddress: was.StoppedAddress}
	if was.DisabledAt != nil {
		row.StoppedAddress = was.Address
	}
	if row.StoppedAddress == row.Address {
		row.DisabledAt, row.StoppedAddress = &a.now, ""
	}
	return row
}

// verified is a method that counts as verified where the file says so.
func (a *applier) verified(row notify.ContactMethod, c organization.Contact) notify.ContactMethod {
	if c.Verified {
		row.VerifiedAt = &a.now
	}
	return row
}

// ruleRows are a person's rules; methods are the ids of their contacts by slug.
func ruleRows(userID int64, rules []organization.Rule, methods map[string]int64) []notify.Rule {
	rows := make([]notify.Rule, len(rules))
	for i, r := range rules {
		rows[i] = notify.Rule{UserID: userID, Urgency: r.Urgency, AfterSeconds: seconds(r.After), ContactMethodID: methods[r.Contact]}
	}
	return rows
}

// rules adds the rules of an urgency for which the person has none.
func (a *applier) rules(userID int64, rules []organization.Rule, methods map[string]int64) error {
	var has []string
	if err := a.tx.Gorm.Model(&notify.Rule{}).Where("user_id = ?", userID).Pluck("urgency", &has).Error; err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(rules), func(r organization.Rule) bool { return slices.Contains(has, r.Urgency) })
	if len(missing) == 0 {
		return nil
	}
	rows := ruleRows(userID, missing, methods)
	return a.tx.Gorm.Create(&rows).Error
}
