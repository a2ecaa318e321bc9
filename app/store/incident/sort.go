package incident

import (
	"strings"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// order is the columns that a list is ordered by, all in one direction.
type order struct {
	columns func(table string) []string
	falling bool
}

func byNumber(table string) []string { return []string{table + ".number"} }

// statusRank orders triggered before acknowledged before resolved.
func statusRank(table string) string {
	return "CASE " + table + ".status WHEN '" + string(incident.Triggered) + "' THEN 0 WHEN '" + string(incident.Acknowledged) + "' THEN 1 ELSE 2 END"
}

// byUrgency is as incident.MostUrgentFirst says.
func byUrgency(table string) []string {
	return []string{
		statusRank(table),
		incident.RankSQL(table + ".priority"),
		table + ".number",
	}
}

// orders are all that a list can have. Their last column is unique.
var orders = map[incident.Sort]order{
	incident.NewestFirst:     {columns: byNumber, falling: true},
	incident.OldestFirst:     {columns: byNumber},
	incident.MostUrgentFirst: {columns: byUrgency},
}

// by lists the columns of a table, each with its direction or without.
func (o order) by(table string, directed bool) string {
	all := o.columns(table)
	for i := range all {
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
	if f.Sort != incident.MostUrgentFirst { // the number itself, of which no row is needed
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
