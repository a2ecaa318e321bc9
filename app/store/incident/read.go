package incident

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// incidentRows is a query of incidents with the names of what they refer to.
func (s *Store) incidentRows(ctx context.Context) *gorm.DB {
	return withNames(s.db.GormRead(ctx).Table("incidents AS i"))
}

// withNames adds to incidents, as i, the names of what they refer to.
func withNames(g *gorm.DB) *gorm.DB {
	return g.
		Select(`i.*, COALESCE(s.slug, '') AS service_slug, COALESCE(s.name, '') AS service_name, COALESCE(s.runbook, '') AS runbook,
			COALESCE(t.slug, '') AS team_slug, COALESCE(t.name, '') AS team_name, COALESCE(d.name, i.deployment) AS deployment_name,
			COALESCE(p.name, '') AS priority_name, COALESCE(u.name, '') AS owner_name, COALESCE(u.email, '') AS owner_email`).
		Joins("LEFT JOIN services s ON s.id = i.service_id").
		Joins("LEFT JOIN teams t ON t.id = s.team_id").
		Joins("LEFT JOIN deployments d ON d.slug = i.deployment").
		Joins("LEFT JOIN priorities p ON p.level = i.priority").
		Joins("LEFT JOIN users u ON u.id = i.owner_id")
}

// ListIncidents lists incidents in the order of the filter.
func (s *Store) ListIncidents(ctx context.Context, f incident.ListFilter) ([]incident.Row, error) {
	var rows []incident.Row
	g, err := s.listed(ctx, f)
	if err != nil {
		return nil, err
	}
	// The names are read of those that are listed alone.
	some := s.db.GormRead(ctx).Table("(?) AS i", g.Select("i.*").Order(orders[f.Sort].by("i", true)).Limit(f.Limit))
	if err := withNames(some).Order(orders[f.Sort].by("i", true)).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	return rows, s.addPaged(ctx, rows)
}

// addPaged adds the people whose pages are unanswered, in the order in which they
// were paged.
func (s *Store) addPaged(ctx context.Context, incidents []incident.Row) error {
	at := map[int64]int{}
	var numbers []int64
	for i := range incidents {
		if incidents[i].Status == incident.Triggered {
			at[incidents[i].Number] = i
			numbers = append(numbers, incidents[i].Number)
		}
	}
	if numbers == nil {
		return nil
	}
	var people []struct {
		IncidentNumber int64
		incident.PagedPerson
	}
	err := s.db.GormRead(ctx).Table("pages AS p").Select("p.incident_number, u.id AS user_id, u.name, u.email").Joins("JOIN users u ON u.id = p.user_id").
		Where("p."+paging.Answerable+" AND NOT p.shadow AND p.incident_number IN ?", numbers).
		Group("p.incident_number, u.id, u.name, u.email").Order("min(p.id)").Scan(&people).Error
	if err != nil {
		return fmt.Errorf("read paged people: %w", err)
	}
	for _, p := range people {
		row := &incidents[at[p.IncidentNumber]]
		row.Paged = append(row.Paged, p.PagedPerson)
	}
	return nil
}

// CountIncidents counts the open incidents, and those of a person among them, each up to
// incident.MaxCounted: it does so for every page. Served by incidents_urgent,
// incidents_owned and pages_user.
func (s *Store) CountIncidents(ctx context.Context, userID int64) (incident.Counts, error) {
	some := func(g *gorm.DB) *gorm.DB {
		return s.db.GormRead(ctx).Table("(?) AS counted", g.Limit(incident.MaxCounted)).Select("count(*)")
	}
	open := func(status incident.Status) *gorm.DB {
		return s.narrow(ctx, incident.ListFilter{Statuses: []incident.Status{status}, Sort: incident.MostUrgentFirst}).Select("1")
	}
	var n struct{ Triggered, Acknowledged, Mine int }
	err := s.db.GormRead(ctx).Raw("SELECT (?) AS triggered, (?) AS acknowledged, (?) AS mine",
		some(open(incident.Triggered)), some(open(incident.Acknowledged)),
		some(s.db.GormRead(ctx).Table("(?) AS numbers", s.mine(ctx, userID, incident.MaxCounted)).Select("1"))).Scan(&n).Error
	if err != nil {
		return incident.Counts{}, fmt.Errorf("count incidents: %w", err)
	}
	return incident.Counts{Open: min(n.Triggered+n.Acknowledged, incident.MaxCounted), Unanswered: n.Triggered, Mine: n.Mine}, nil
}

// MatchingIncidents counts the incidents of some statuses, and of the open ones those of
// a person, that match a filter, the resolved ones up to incident.MaxMatches. The
// filter's MineOf and Before are ignored.
func (s *Store) MatchingIncidents(ctx context.Context, f incident.ListFilter, userID int64) (incident.Matches, error) {
	statuses := f.Statuses
	f.Statuses, f.MineOf, f.Before = openStatuses, 0, 0
	var m incident.Matches
	if slices.ContainsFunc(openStatuses, func(open incident.Status) bool { return slices.Contains(statuses, open) }) {
		if err := s.matchingOpen(ctx, f, userID, &m); err != nil {
			return m, err
		}
	}
	if !slices.Contains(statuses, incident.Resolved) {
		return m, nil
	}
	f.Statuses, f.Limit = []incident.Status{incident.Resolved}, incident.MaxMatches
	g, err := s.listed(ctx, f)
	if err != nil {
		return m, err
	}
	var resolved int64
	if err := s.db.GormRead(ctx).Table("(?) AS resolved", g.Select("i.number").Limit(f.Limit)).Count(&resolved).Error; err != nil {
		return m, fmt.Errorf("count matching incidents: %w", err)
	}
	m.Resolved = int(resolved)
	return m, nil
}

func (s *Store) matchingOpen(ctx context.Context, f incident.ListFilter, userID int64, m *incident.Matches) error {
	f.Sort = incident.MostUrgentFirst // which has an index with the status
	err := s.narrow(ctx, f).Select("count(*) AS open, count(CASE WHEN " + statusRank("i") + " = 0 THEN 1 END) AS unanswered").Scan(m).Error
	if err != nil {
		return fmt.Errorf("count matching incidents: %w", err)
	}
	if m.Open == 0 {
		return nil
	}
	f.MineOf = userID
	var mine int64
	if err := s.narrow(ctx, f).Count(&mine).Error; err != nil {
		return fmt.Errorf("count matching incidents: %w", err)
	}
	m.Mine = int(mine)
	return nil
}

// Incident is one incident; NotFound where there is none with the number.
func (s *Store) Incident(ctx context.Context, number int64) (incident.Row, error) {
	var rows []incident.Row
	if err := s.incidentRows(ctx).Where("i.number = ?", number).Scan(&rows).Error; err != nil {
		return incident.Row{}, fmt.Errorf("read an incident: %w", err)
	}
	if len(rows) == 0 {
		return incident.Row{}, fault.NotFound("There is no incident with number %d.", number)
	}
	return rows[0], s.addPaged(ctx, rows)
}

// rememberedFor is how many incidents back earlier ones are searched, so that the
// search does not grow with the table.
const rememberedFor = 50_000

// EarlierIncidents are those of the same alert or the same SLO that began
// before an incident, newest first.
func (s *Store) EarlierIncidents(ctx context.Context, inc incident.Incident, limit int) ([]incident.Row, error) {
	var rows []incident.Row
	err := s.incidentRows(ctx).Where("i.service_id = ? AND i.number BETWEEN ? AND ? AND (i.dedup_key = ? OR i.title = ?)", inc.ServiceID, inc.Number-rememberedFor, inc.Number-1, inc.DedupKey, inc.Title).
		Order("i.number DESC").Limit(limit).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read earlier incidents: %w", err)
	}
	return rows, nil
}

// LatestAlert is the alert of an incident with the latest signal; NotFound where it
// has none.
func (s *Store) LatestAlert(ctx context.Context, number int64) (incident.AlertRecord, error) {
	var found []incident.AlertRecord
	err := s.db.GormRead(ctx).Table("alerts AS a").Select("a.*, COALESCE(i.slug, '') AS integration_slug, COALESCE(i.name, '') AS integration_name").
		Joins("LEFT JOIN integrations i ON i.id = a.integration_id").
		Where("a.incident_number = ?", number).Order("a.last_seen_at DESC, a.id DESC").Limit(1).Scan(&found).Error
	if err != nil {
		return incident.AlertRecord{}, fmt.Errorf("read an alert: %w", err)
	}
	if len(found) == 0 {
		return incident.AlertRecord{}, fault.NotFound("Incident %d has no alert.", number)
	}
	return found[0], nil
}

// Alerts are those of an incident, firing ones first, then the latest; served by the
// index of alerts by incident. Their bodies are left out.
func (s *Store) Alerts(ctx context.Context, number int64, limit int) ([]incident.AlertRecord, error) {
	var found []incident.AlertRecord
	err := s.db.GormRead(ctx).Table("alerts AS a").
		Select("a.id, a.dedup_key, a.title, a.firing, a.started_at, a.resolved_at, a.last_seen_at, a.occurrences, COALESCE(i.slug, '') AS integration_slug, COALESCE(i.name, '') AS integration_name").
		Joins("LEFT JOIN integrations i ON i.id = a.integration_id").
		Where("a.incident_number = ?", number).Order("a.firing DESC, a.last_seen_at DESC, a.id DESC").Limit(limit).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return found, nil
}

// Timeline are the events of an incident after an event's id, oldest first; at most
// limit, or all where it is 0.
func (s *Store) Timeline(ctx context.Context, number, after int64, limit int) ([]incident.TimelineEvent, error) {
	g := s.db.GormRead(ctx).Where("incident_number = ? AND id > ?", number, after).Order("id")
	if limit > 0 {
		g = g.Limit(limit)
	}
	var rows []eventRow
	if err := g.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read a timeline: %w", err)
	}
	events := make([]incident.TimelineEvent, len(rows))
	for i, r := range rows {
		events[i] = r.event()
	}
	return events, nil
}
