package incident

import (
	"fmt"
	"strings"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// order is the columns that a list is ordered by, all in one direction; %s is the
// table of incidents.
type order struct {
	columns []string
	falling bool
}

// orders are all that a list can have. Their last column is unique.
var orders = map[incident.Sort]order{
	incident.NewestFirst: {columns: []string{"%s.number"}, falling: true},
	incident.OldestFirst: {columns: []string{"%s.number"}},
	incident.MostUrgentFirst: {columns: []string{
		"CASE %s.status WHEN '" + string(incident.Triggered) + "' THEN 0 WHEN '" + string(incident.Acknowledged) + "' THEN 1 ELSE 2 END",
		incident.RankSQL("%s.priority"),
		"%s.number",
	}},
}

// by lists the columns of a table, each with its direction or without.
func (o order) by(table string, directed bool) string {
	all := make([]string, len(o.columns))
	for i, column := range o.columns {
		all[i] = fmt.Sprintf(column, table)
		if directed && o.falling {
			all[i] += " DESC"
		}
	}
	return strings.Join(all, ", ")
}

// goOnAfter leaves out what comes up to the incident f.Before in the order of the
// filter, by the place that it has now.
func goOnAfter(g *gorm.DB, f incident.ListFilter) *gorm.DB {
	if f.Before <= 0 {
		return g
	}
	o, compare := orders[f.Sort], ">"
	if o.falling {
		compare = "<"
	}
	if len(o.columns) == 1 { // the number itself, of which no row is needed
		return g.Where(o.by("i", false)+" "+compare+" ?", f.Before)
	}
	return g.Where("("+o.by("i", false)+") "+compare+" (SELECT "+o.by("b", false)+" FROM incidents b WHERE b.number = ?)", f.Before)
}

// direction is the one in which a list of incidents by number goes.
func direction(f incident.ListFilter) string {
	if f.Sort == incident.OldestFirst {
		return "ASC"
	}
	return "DESC"
}
