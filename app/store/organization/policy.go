package organization

import (
	"context"
	"reflect"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

func policyKind() kind {
	k := slugged(organization.KindPolicy, "policies")
	k.routing = (*stateLoad).policies
	k.apply = applying(applyPolicy)
	k.open = "SELECT DISTINCT v.policy_id AS id, i.number FROM incidents i JOIN escalations e ON e.incident_number = i.number" +
		" JOIN policy_versions v ON v.id = e.policy_version_id WHERE i." + paging.OpenIncident
	k.counts = "SELECT v.policy_id AS id, COUNT(DISTINCT e.incident_number) AS incidents FROM escalations e" +
		" JOIN policy_versions v ON v.id = e.policy_version_id GROUP BY v.policy_id"
	k.archive = func(a *applier, id int64) error {
		return a.tx.Gorm.Model(&policyRow{ID: id}).Update("archived_at", a.now).Error
	}
	k.auditName = "policy"
	return k
}

type policyRow struct {
	ID     int64 `gorm:"primaryKey"`
	Slug   string
	Name   string
	TeamID *int64
	// ArchivedAt is as of a catalog.Service.
	ArchivedAt *time.Time
}

func (policyRow) TableName() string { return "policies" }

type policyVersionRow struct {
	ID          int64 `gorm:"primaryKey"`
	PolicyID    int64
	EffectiveAt time.Time         // the zero time, year 1, means since ever
	Definition  escalation.Policy `gorm:"serializer:json"`
	CreatedAt   time.Time
	CreatedBy   string
}

func (policyVersionRow) TableName() string { return "policy_versions" }

// policies keeps a version whose definition cannot be read: it stays in force, and
// the people paged by it are told why.
func (l *stateLoad) policies() {
	var rows []policyRow
	var versions []policyVersionRow
	load(l, &rows, "id", "id")
	load(l, &versions, "id", "effective_at, id", "definition")
	unreadable := map[int64]error{}
	for _, u := range l.s.Unreadable {
		if u.Table == (policyVersionRow{}).TableName() {
			unreadable[u.ID] = u.Err
		}
	}
	of := map[int64][]organization.PolicyVersion{}
	for _, v := range versions {
		of[v.PolicyID] = append(of[v.PolicyID], organization.PolicyVersion{ID: v.ID, Effective: v.EffectiveAt.UTC(), CreatedAt: v.CreatedAt.UTC(),
			Policy: v.Definition, Err: unreadable[v.ID]})
	}
	for _, r := range rows {
		p := organization.PolicyRecord{ID: r.ID, Slug: r.Slug, Name: r.Name, TeamID: r.TeamID, Versions: of[r.ID]}
		for _, v := range p.Versions {
			if v.Err == nil {
				p.Policy = v.Policy
			}
		}
		if r.ArchivedAt != nil {
			l.s.Archived.Policies = append(l.s.Archived.Policies, p)
		} else {
			l.s.Policies = append(l.s.Policies, p)
		}
	}
}

func applyPolicy(_ context.Context, a *applier, p organization.Policy, _ bool) error {
	row := policyRow{ID: a.id(organization.KindPolicy, p.Slug), Slug: p.Slug, Name: p.Name, TeamID: a.reference(organization.KindTeam, p.Team)}
	if err := a.save(&row, &row.ID, organization.KindPolicy, p.Slug); err != nil {
		return err
	}
	definition := p.Definition(organization.Numbers{
		User:     a.person,
		Team:     func(slug string) int64 { return a.id(organization.KindTeam, slug) },
		Schedule: func(slug string) int64 { return a.id(organization.KindSchedule, slug) },
		Level:    func(name string) int { return int(a.numbers[organization.KindPriority][name]) },
	})
	if err := definition.Validate(); err != nil {
		return err
	}
	var present []policyVersionRow
	err := a.tx.Gorm.Where("policy_id = ?", row.ID).Order("effective_at DESC, id DESC").Limit(1).Find(&present).Error
	if err != nil {
		return err
	}
	version := policyVersionRow{PolicyID: row.ID, Definition: definition, CreatedAt: a.now, CreatedBy: a.by.String()}
	if len(present) > 0 {
		if reflect.DeepEqual(present[0].Definition, definition) {
			return nil
		}
		version.EffectiveAt = a.now
	}
	return a.tx.Gorm.Create(&version).Error
}
