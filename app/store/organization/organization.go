package organization

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func organizationKind() kind {
	return kind{
		kind: organization.KindOrganization, table: "organization", permanent: true,
		routing: func(l *stateLoad) {
			var rows []catalog.Organization
			load(l, &rows, "id", "id", "support_hours")
			for _, o := range rows {
				l.s.Organization = o
			}
		},
		apply: applying(applyOrganization),
	}
}

func applyOrganization(_ context.Context, a *applier, o organization.Organization, _ bool) error {
	var row catalog.Organization
	if err := a.tx.Gorm.Take(&row).Error; err != nil {
		return err
	}
	row.Name, row.Timezone, row.SupportHours = o.Name, o.Timezone, o.SupportHours.Record()
	row.CatchAllServiceID = a.reference(organization.KindService, o.CatchAllService)
	return a.tx.Gorm.Save(&row).Error
}
