package organization

import (
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func deploymentKind() kind {
	return simple(organization.KindDeployment, "deployments",
		func(s *organization.State) *[]catalog.Deployment { return &s.Deployments },
		func(_ *applier, d organization.Deployment, row *catalog.Deployment) *int64 {
			row.Slug, row.Name, row.Region, row.Kind = d.Slug, d.Name, d.Region, d.Kind
			return &row.ID
		})
}
