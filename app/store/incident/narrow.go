package incident

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// Lists have to be fast whatever was open when a database gathered its statistics, and
// however rare it is what they ask for. So no more than one index can serve each: in
// the conditions, "+ 0" keeps the planner from the others; in the order, a column that
// is the same in all rows keeps it from the primary key, by which it would look for
// rare rows among all. The condition on that column is a range, since the planner drops
// a column from the order that it knows to be constant.
//
//	open incidents by urgency    incidents_urgent, whatever the filter
//	open incidents by number     incidents_open, whatever the filter
//	others of a service          incidents_service
//	of a service and a priority  incidents_service_priority
//	of a priority                incidents_priority
//	of a team or of a search     the latest of parts that are served like this
//	all                          the primary key

// openStatuses are in the order of statusRank.
var openStatuses = []incident.Status{incident.Triggered, incident.Acknowledged}

// openOnly reports whether a filter asks for open incidents alone.
func openOnly(f incident.ListFilter) bool {
	return len(f.Statuses) > 0 && !slices.Contains(f.Statuses, incident.Resolved)
}

// listed are the incidents, as i, that a filter finds, or at least the first f.Limit of
// them.
func (s *Store) listed(ctx context.Context, f incident.ListFilter) (*gorm.DB, error) {
	text := strings.TrimSpace(f.Search)
	if openOnly(f) || f.Sort == incident.MostUrgentFirst || f.Service == "" && f.Team == "" && text == "" && f.Priority == nil && !f.Unset {
		return s.narrow(ctx, f), nil
	}
	numbers, err := s.latest(ctx, f, text)
	if err != nil {
		return nil, err
	}
	return s.db.GormRead(ctx).Table("incidents AS i").Where("i.number IN ?", numbers), nil
}

// mine are the numbers of the open incidents that somebody owns, and of those that they
// are paged for, each at most limit, -1 for all. Served by incidents_owned and
// pages_user: as a join, a planner could begin at all that is open.
func (s *Store) mine(ctx context.Context, userID int64, limit int) *gorm.DB {
	owned := s.db.GormRead(ctx).Table("incidents AS o").Select("o.number").Where(ownerOfOpen+" IS NOT NULL AND "+ownerOfOpen+" = ?", userID).Limit(limit)
	paged := s.db.GormRead(ctx).Table("pages AS pg").Distinct("pg.incident_number AS number").
		Where(pagedUser+" IS NOT NULL AND "+pagedUser+" = ?", userID).
		Where("(SELECT o.status FROM incidents o WHERE o.number = pg.incident_number) <> '" + string(incident.Resolved) + "'").Limit(limit)
	return s.db.GormRead(ctx).Raw("SELECT number FROM (?) AS owned UNION SELECT number FROM (?) AS paged", owned, paged)
}

// ownerOfOpen is who owns an incident, as o, that is open, as the index incidents_owned has
// it.
const ownerOfOpen = "CASE WHEN o." + paging.OpenIncident + " THEN o.owner_id END"

// pagedUser is whom a page, as pg, still asks for an answer, as the index pages_user has
// it.
const pagedUser = "CASE WHEN pg." + paging.Answerable + " THEN pg.user_id END"

// narrow are the incidents of a filter that asks for open incidents, or for no service,
// team, priority and text.
func (s *Store) narrow(ctx context.Context, f incident.ListFilter) *gorm.DB {
	g := s.db.GormRead(ctx).Table("incidents AS i")
	switch {
	case byUrgencyIndex(f):
		g = g.Where(openByUrgency)
		if len(f.Statuses) == 1 { // as a range, by the rule above
			rank := slices.Index(openStatuses, f.Statuses[0])
			g = g.Where(statusRank("i")+" BETWEEN ? AND ?", rank, rank)
		}
	case openOnly(f):
		g = g.Where("i." + paging.OpenIncident)
	}
	if f.Service != "" {
		g = g.Where("i.service_id + 0 = (SELECT id FROM services WHERE slug = ?)", f.Service)
	}
	if f.Team != "" {
		g = g.Where("(i.service_id + 0) IN (SELECT id FROM services WHERE team_id = (SELECT id FROM teams WHERE slug = ?))", f.Team)
	}
	if text := strings.TrimSpace(f.Search); text != "" {
		title, args := s.titleMatches(text)
		service, serviceArgs := s.serviceMatches(text)
		service = "(i.service_id + 0) IN (SELECT s.id FROM services s WHERE " + service + ")"
		g = g.Where("(i.number = ? OR "+title+" OR "+service+")", slices.Concat([]any{numberIn(text)}, args, serviceArgs)...)
	}
	if byUrgencyIndex(f) {
		return ofRank(s.narrowFurther(ctx, g, f), f)
	}
	return ofPriority(s.narrowFurther(ctx, g, f), f)
}

// ofRank adds the condition on the priority as the index incidents_urgent has it.
func ofRank(g *gorm.DB, f incident.ListFilter) *gorm.DB {
	if f.Unset || f.Priority != nil {
		return g.Where(incident.RankSQL("i.priority")+" = ?", incident.Rank(f.Priority))
	}
	return g
}

// byUrgencyIndex reports whether a filter is served by incidents_urgent. Nothing may be
// said of the status in such a query: a planner would take it for incidents_open, and
// sort all that are open.
func byUrgencyIndex(f incident.ListFilter) bool {
	return f.Sort == incident.MostUrgentFirst && openOnly(f)
}

// openByUrgency is the condition of the index incidents_urgent, and of no other.
var openByUrgency = statusRank("i") + " < 2"

// narrowFurther adds the conditions that no index serves, and where the list goes on.
func (s *Store) narrowFurther(ctx context.Context, g *gorm.DB, f incident.ListFilter) *gorm.DB {
	if len(f.Statuses) > 0 && !byUrgencyIndex(f) {
		g = g.Where("i.status IN ?", f.Statuses)
	}
	if f.MineOf != 0 {
		g = g.Where("i.number IN (?)", s.mine(ctx, f.MineOf, -1))
	}
	return goOnAfter(g, f)
}

// ofPriority adds the condition on the priority, which then no index serves.
func ofPriority(g *gorm.DB, f incident.ListFilter) *gorm.DB {
	switch {
	case f.Unset:
		return g.Where("(i.priority + 0) IS NULL")
	case f.Priority != nil:
		return g.Where("(i.priority + 0) = ?", *f.Priority)
	}
	return g
}

// byPriority adds the condition on the priority, which must be there, for an index.
func byPriority(g *gorm.DB, f incident.ListFilter) *gorm.DB {
	if f.Unset {
		return g.Where("i.priority IS NULL").Order("i.priority " + direction(f) + ", i.number " + direction(f))
	}
	return g.Where("i.priority BETWEEN ? AND ?", *f.Priority, *f.Priority).Order("i.priority " + direction(f) + ", i.number " + direction(f))
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// titleMatches is the condition that a text is a part of an incident's title or begins
// its dedup key, whose middle has the SLI that thousands share.
func (s *Store) titleMatches(text string) (where string, args []any) {
	title, titleArgs := s.matches("i.title", "%", text)
	key, keyArgs := s.matches("i.dedup_key", "", text)
	return title + " OR " + key, slices.Concat(titleArgs, keyArgs)
}

// serviceMatches is the condition that a text is a part of a service's name or slug.
func (s *Store) serviceMatches(text string) (where string, args []any) {
	name, nameArgs := s.matches("s.name", "%", text)
	slug, slugArgs := s.matches("s.slug", "%", text)
	return name + " OR " + slug, slices.Concat(nameArgs, slugArgs)
}

// matches is the condition that a text stands in a column, after what the pattern before
// matches, in whatever case: of ASCII letters alone on SQLite, whose LIKE does it, and
// where PostgreSQL's collation has no others, so that text with such is found in its
// exact case as well.
func (s *Store) matches(column, before, text string) (where string, args []any) {
	exactly := before + likeEscapes.Replace(text) + "%"
	if s.db.Dialect == db.SQLite {
		return column + ` LIKE ? ESCAPE '\'`, []any{exactly}
	}
	where, args = "lower("+column+`) LIKE ? ESCAPE '\'`, []any{strings.ToLower(exactly)}
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		where, args = where+" OR "+column+` LIKE ? ESCAPE '\'`, append(args, exactly)
	}
	return where, args
}

// numberIn is the number that a text is, written 17 or #17; 0 for none.
func numberIn(text string) int64 {
	number, err := strconv.ParseInt(strings.TrimPrefix(text, "#"), 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// maxServices bounds the services whose latest incidents are read one by one. Of more,
// a read of the latest incidents of all finds enough soon.
const maxServices = 200

// latest are the numbers of the latest f.Limit incidents of a filter with a service, a
// team, a priority or a text to search, newest first. Those of services, named by the
// filter or by the text, are read by service; those whose title or key matches, among
// the open incidents and the latest incident.SearchedBack.
func (s *Store) latest(ctx context.Context, f incident.ListFilter, text string) ([]int64, error) {
	incidents := func() *gorm.DB { return s.narrowFurther(ctx, s.db.GormRead(ctx).Table("incidents AS i"), f) }
	if f.Service == "" && f.Team == "" && text == "" {
		return s.union(ctx, f, []*gorm.DB{byPriority(incidents(), f)})
	}
	var services []int64
	if err := s.servicesWithin(ctx, f, text).Pluck("s.id", &services).Error; err != nil {
		return nil, fmt.Errorf("read the services of a list: %w", err)
	}
	newest := func(g *gorm.DB) *gorm.DB { return ofPriority(g, f).Order("i.number " + direction(f)) }
	var parts []*gorm.DB
	switch {
	case len(services) > maxServices:
		parts = append(parts, newest(incidents().Where("(i.service_id + 0) IN ?", services)))
	case f.Unset || f.Priority != nil:
		for _, id := range services {
			parts = append(parts, byPriority(incidents().Where("i.service_id = ?", id), f))
		}
	default:
		for _, id := range services {
			parts = append(parts, incidents().Where("i.service_id BETWEEN ? AND ?", id, id).Order("i.service_id "+direction(f)+", i.number "+direction(f)))
		}
	}
	if text != "" {
		within := incidents
		if f.Team != "" || f.Service != "" {
			within = func() *gorm.DB {
				return incidents().Where("(i.service_id + 0) IN (?)", s.servicesWithin(ctx, f, "").Select("s.id"))
			}
		}
		title, args := s.titleMatches(text)
		back := s.db.GormRead(ctx).Table("incidents").Select("COALESCE(max(number), 0) - ?", incident.SearchedBack)
		parts = append(parts, newest(within().Where("i.number = ?", numberIn(text))),
			newest(within().Where("i.number > (?)", back).Where("("+title+")", args...)))
		if len(f.Statuses) == 0 {
			parts = append(parts, newest(within().Where("i."+paging.OpenIncident).Where("("+title+")", args...)))
		}
	}
	return s.union(ctx, f, parts)
}

// servicesWithin are the services, as s, that a filter's service and team name, and
// whose name matches a text; empty matches all.
func (s *Store) servicesWithin(ctx context.Context, f incident.ListFilter, text string) *gorm.DB {
	g := s.db.GormRead(ctx).Table("services AS s")
	if f.Service != "" {
		g = g.Where("s.slug = ?", f.Service)
	}
	if f.Team != "" {
		g = g.Where("s.team_id = (SELECT id FROM teams WHERE slug = ?)", f.Team)
	}
	if text != "" {
		where, args := s.serviceMatches(text)
		g = g.Where("("+where+")", args...)
	}
	return g
}

// union are the latest numbers of parts, each of which is read in its order up to a
// limit, in one statement.
func (s *Store) union(ctx context.Context, f incident.ListFilter, parts []*gorm.DB) ([]int64, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	selects, args := make([]string, len(parts)), make([]any, len(parts))
	for i, part := range parts {
		selects[i] = fmt.Sprintf("SELECT number FROM (?) AS p%d", i)
		args[i] = part.Select("i.number").Limit(f.Limit)
	}
	var numbers []int64
	query := "SELECT number FROM (" + strings.Join(selects, " UNION ") + ") AS latest ORDER BY number " + direction(f) + " LIMIT ?"
	if err := s.db.GormRead(ctx).Raw(query, append(args, f.Limit)...).Scan(&numbers).Error; err != nil {
		return nil, fmt.Errorf("list the latest incidents: %w", err)
	}
	return numbers, nil
}
