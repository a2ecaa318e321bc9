package organization

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

func serviceKind() kind {
	k := slugged(organization.KindService, "services")
	k.routing = (*stateLoad).services
	k.load = func(l *stateLoad) {
		load(l, &l.s.SLOs, "id", "id", "deployments")
		l.pairs("service_id, deployment_id", &l.s.ServiceDeployments)
	}
	k.apply = applying(applyService)
	k.open = "SELECT service_id AS id, number FROM incidents WHERE " + paging.OpenIncident
	k.counts = "SELECT service_id AS id, COUNT(*) AS incidents FROM incidents GROUP BY service_id" // by incidents_service alone
	k.archive = archiveService
	return k
}

func (l *stateLoad) services() {
	var rows []catalog.Service
	load(l, &rows, "id", "id", "dashboards")
	for _, s := range rows {
		if s.ArchivedAt != nil {
			l.s.Archived.Services = append(l.s.Archived.Services, s)
		} else {
			l.s.Services = append(l.s.Services, s)
		}
	}
}

// archiveService has the service keep nothing from being removed but its team, whose
// removal releases it.
func archiveService(a *applier, id int64) error {
	if err := a.tx.Gorm.Where("service_id = ?", id).Delete(&catalog.ServiceDeployment{}).Error; err != nil {
		return err
	}
	if err := a.tx.Gorm.Where("service_id = ?", id).Delete(&catalog.SLO{}).Error; err != nil {
		return err
	}
	return a.tx.Gorm.Model(&catalog.Service{ID: id}).Updates(map[string]any{"archived_at": a.now, "parent_id": nil, "policy_id": nil}).Error
}

func applyService(_ context.Context, a *applier, s organization.Service, _ bool) error {
	row := catalog.Service{ID: a.id(organization.KindService, s.Slug), Slug: s.Slug, Name: s.Name, Description: s.Description,
		ParentID: a.reference(organization.KindService, s.Parent), TeamID: a.reference(organization.KindTeam, s.Team), PolicyID: a.reference(organization.KindPolicy, s.EscalationPolicy),
		Runbook: s.Runbook, Dashboards: []catalog.Link{}, ReopenWindow: seconds(s.ReopenWindow)}
	for _, l := range s.Dashboards {
		row.Dashboards = append(row.Dashboards, catalog.Link{Text: l.Text, Href: l.Href})
	}
	if err := a.save(&row, &row.ID, organization.KindService, s.Slug); err != nil {
		return err
	}
	deployments := make([]catalog.ServiceDeployment, len(s.Deployments))
	for i, slug := range s.Deployments {
		deployments[i] = catalog.ServiceDeployment{ServiceID: row.ID, DeploymentID: a.id(organization.KindDeployment, slug)}
	}
	if err := access.Replace(a.tx.Gorm.Where("service_id = ?", row.ID), a.tx.Gorm, deployments); err != nil {
		return err
	}
	return a.slos(row.ID, s.SLOs)
}

// slos keeps the ids of unchanged SLOs.
func (a *applier) slos(serviceID int64, slos []organization.SLO) error {
	var has []catalog.SLO
	if err := a.tx.Gorm.Where("service_id = ?", serviceID).Find(&has).Error; err != nil {
		return err
	}
	ids := map[string]int64{}
	for _, o := range has {
		ids[o.Slug] = o.ID
	}
	for _, o := range slos {
		if o.Deployments == nil {
			o.Deployments = []string{}
		}
		row := catalog.SLO{ID: ids[o.Slug], ServiceID: serviceID, Slug: o.Slug, Name: o.Name, Endpoint: o.Endpoint, SLI: o.SLI,
			Objective: o.Objective, Window: o.Window, Default: o.Default, Deployments: o.Deployments, Priority: o.Priority, PriorityReason: o.PriorityReason}
		if err := insertOrUpdate(a.tx.Gorm, &row, row.ID); err != nil {
			return err
		}
		delete(ids, o.Slug)
	}
	for _, id := range ids {
		if err := a.tx.Gorm.Delete(&catalog.SLO{ID: id}).Error; err != nil {
			return err
		}
	}
	return nil
}
