package organization

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/access"
)

func teamKind() kind {
	k := slugged(organization.KindTeam, "teams")
	k.routing = func(l *stateLoad) { load(l, &l.s.Teams, "id", "id", "support_hours") }
	k.load = func(l *stateLoad) { l.pairs("team_id, user_id", &l.s.Members) }
	k.apply = applying(applyTeam)
	k.release = releaseTeam
	return k
}

// releaseTeam takes what is archived from a team.
func releaseTeam(a *applier, id int64) error {
	for _, rows := range []any{&catalog.Service{}, &policyRow{}} {
		if err := a.tx.Gorm.Model(rows).Where("team_id = ? AND archived_at IS NOT NULL", id).Update("team_id", nil).Error; err != nil {
			return err
		}
	}
	return nil
}

func applyTeam(_ context.Context, a *applier, t organization.Team, _ bool) error {
	row := catalog.Team{ID: a.id(organization.KindTeam, t.Slug), Slug: t.Slug, Name: t.Name, ManagerID: a.reference(organization.KindUser, t.Manager),
		SlackChannel: t.Chat.Slack, SupportHours: t.SupportHours.Record()}
	if err := a.save(&row, &row.ID, organization.KindTeam, t.Slug); err != nil {
		return err
	}
	members := make([]catalog.TeamMember, len(t.Members))
	for i, m := range t.Members {
		members[i] = catalog.TeamMember{TeamID: row.ID, UserID: a.person(m)}
	}
	return access.Replace(a.tx.Gorm.Where("team_id = ?", row.ID), a.tx.Gorm, members)
}
