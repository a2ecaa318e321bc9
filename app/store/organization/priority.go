package organization

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

func priorityKind() kind {
	return kind{
		kind: organization.KindPriority, table: "priorities", key: "level", id: "level", name: "name",
		routing: func(l *stateLoad) { load(l, &l.s.Priorities, "level", "level", "criteria") },
		apply:   applying(applyPriority),
		// incidents_open has the few that are open.
		open: "SELECT priority AS id, number FROM incidents WHERE " + paging.OpenIncident + " AND priority IS NOT NULL",
	}
}

func applyPriority(_ context.Context, a *applier, p organization.Priority, isNew bool) error {
	row := catalog.Priority{Level: p.Level, Name: p.Name, Hotfix: p.Hotfix, Postmortem: p.Postmortem,
		NotifyManagement: p.NotifyManagement, NotifyStakeholders: p.NotifyStakeholders,
		StatusUpdateEvery: seconds(p.StatusUpdateEvery), AckExpires: seconds(p.AckExpires), Criteria: p.Criteria}
	if row.Criteria == nil {
		row.Criteria = map[string]string{}
	}
	a.numbers[organization.KindPriority][p.Name] = int64(p.Level)
	if isNew {
		return a.tx.Gorm.Create(&row).Error
	}
	return a.tx.Gorm.Save(&row).Error
}
