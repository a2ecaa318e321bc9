package incidents

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func (p ListPage) empty() bool { return len(p.Rows) == 0 && len(p.Groups) == 0 }

// Query is the list with a tab, filter and order, going on after an incident, 0 for
// its beginning.
func Query(t Tab, f Filter, s Sort, before int64) string {
	values := url.Values{}
	values.Set("tab", string(t))
	if s != "" && s != t.Default() {
		values.Set("sort", string(s))
	}
	if before > 0 {
		values.Set("before", strconv.FormatInt(before, 10))
	}
	for name, value := range map[string]string{
		"service": f.Service, "team": f.Team, "priority": f.Priority, "q": f.Query,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values.Encode()
}

func query(t Tab, f Filter, s Sort) string { return "/incidents?" + Query(t, f, s, 0) }

// words name a tab within a sentence.
func (t Tab) words() string {
	switch t {
	case Mine:
		return "yours"
	case Unanswered:
		return "triggered"
	case Open:
		return "open"
	default:
		return "resolved"
	}
}

func (p ListPage) here() string         { return query(p.Tab, p.Filter, p.Sort) }
func (p ListPage) tabHref(t Tab) string { return query(t, p.Filter, "") }
func (p ListPage) serviceHref(s string) string {
	f := p.Filter
	f.Service = s
	return query(p.Tab, f, p.Sort)
}

// narrowing is one filter in words, with the list without it.
type narrowing struct{ text, href string }

// narrowings are the filters that are chosen from lists.
func (p ListPage) narrowings() []narrowing {
	var all []narrowing
	add := func(value, text string, without Filter) {
		if value != "" {
			all = append(all, narrowing{text: text, href: query(p.Tab, without, p.Sort)})
		}
	}
	f := p.Filter
	f.Service = ""
	add(p.Filter.Service, textOf(refOptions("", p.Services), p.Filter.Service), f)
	f = p.Filter
	f.Team = ""
	add(p.Filter.Team, textOf(refOptions("", p.Teams), p.Filter.Team), f)
	f = p.Filter
	f.Priority = ""
	add(p.Filter.Priority, textOf(priorityOptions(p.Priorities), p.Filter.Priority), f)
	return all
}

// textOf is the text of the option with a value, else the value.
func textOf(options []element.Option, value string) string {
	for _, o := range options {
		if o.Value == value {
			return o.Text
		}
	}
	return value
}

func (t Tab) sorts() []element.Option {
	ages := []element.Option{{Value: string(Newest), Text: "Newest"}, {Value: string(Oldest), Text: "Oldest"}}
	if t == Past {
		return ages
	}
	return append([]element.Option{{Value: string(Urgent), Text: "Most urgent"}}, ages...)
}

// pagingNames are the first names of those who are paged: "Ana, Ben +2".
func pagingNames(people []element.Person) string {
	var names []string
	for _, p := range people[:min(len(people), maxPagingNames)] {
		names = append(names, p.First())
	}
	words := strings.Join(names, ", ")
	if more := len(people) - maxPagingNames; more > 0 {
		words += fmt.Sprintf(" +%d", more)
	}
	return words
}

const maxPagingNames = 2

func (p ListPage) shown() []Row {
	rows := p.Rows
	for _, g := range p.Groups {
		rows = slices.Concat(rows, g.Rows)
	}
	return rows
}

// selectable reports whether any of its rows shown can be selected.
func (g Group) selectable() bool {
	return slices.ContainsFunc(g.Rows, func(r Row) bool { return r.Status != Resolved })
}

// selectable is how many of the rows shown can be selected.
func (p ListPage) selectable() int {
	n := 0
	for _, r := range p.shown() {
		if r.Status != Resolved {
			n++
		}
	}
	return n
}

func (f Filter) count() int {
	n := 0
	for _, value := range []string{f.Service, f.Team, f.Priority} {
		if value != "" {
			n++
		}
	}
	return n
}

func (f Filter) narrowed() bool { return f.count() > 0 }

func refOptions(every string, refs []element.Ref) []element.Option {
	options := []element.Option{{Value: "", Text: every}}
	for _, r := range refs {
		options = append(options, element.Option{Value: r.Slug, Text: r.Name})
	}
	return options
}

func priorityOptions(levels []element.Priority) []element.Option {
	options := []element.Option{{Value: "", Text: "Every priority"}}
	for _, l := range append(slices.Clip(levels), element.NoPriority) {
		options = append(options, element.Option{Value: fmt.Sprint(l.Level), Text: l.Name})
	}
	return append(options, element.Option{Value: "unset", Text: "Priority unset"})
}
