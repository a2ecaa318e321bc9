package organization

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func integrationKind() kind {
	k := slugged(organization.KindIntegration, "integrations")
	k.load = func(l *stateLoad) {
		var rows []catalog.Integration
		load(l, &rows, "id", "id")
		for _, i := range rows {
			l.s.Integrations = append(l.s.Integrations, organization.IntegrationRecord{Integration: i})
		}
	}
	k.apply = applying(applyIntegration)
	return k
}

func applyIntegration(_ context.Context, a *applier, i organization.Integration, isNew bool) error {
	row := catalog.Integration{CreatedAt: a.now}
	if !isNew {
		if err := a.tx.Gorm.Where("slug = ?", i.Slug).Take(&row).Error; err != nil {
			return err
		}
	}
	if i.Key == "" && isNew {
		i.Key = auth.NewIntegrationKey()
	}
	row.Slug, row.Name, row.Kind, row.ServiceID, row.RateLimit = i.Slug, i.Name, i.Kind, a.reference(organization.KindService, i.Service), i.RateLimit
	row.Dedup = i.Dedup
	if i.Key != "" {
		row.KeyHMAC, row.KeySealed = a.keys.IntegrationHMAC(i.Key), a.keys.Seal(i.Key)
	}
	return a.save(&row, &row.ID, organization.KindIntegration, i.Slug)
}
