package incidents

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func (p ListPage) empty() bool { return len(p.Rows) == 0 && len(p.Groups) == 0 }

// query is the address of the list with another tab or filter.
func query(t Tab, f Filter) string {
	values := url.Values{}
	values.Set("tab", string(t))
	for name, value := range map[string]string{
		"service": f.Service, "team": f.Team, "priority": f.Priority, "q": f.Query,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return "/incidents?" + values.Encode()
}

// words name a tab within a sentence.
func (t Tab) words() string {
	switch t {
	case Mine:
		return "yours"
	case Unanswered:
		return "unanswered"
	case Open:
		return "open"
	default:
		return "resolved"
	}
}

func (p ListPage) here() string         { return query(p.Tab, p.Filter) }
func (p ListPage) tabHref(t Tab) string { return query(t, p.Filter) }
func (p ListPage) serviceHref(s string) string {
	f := p.Filter
	f.Service = s
	return query(p.Tab, f)
}

// acknowledgeable is how many of the rows shown are triggered.
func (p ListPage) acknowledgeable() int {
	n := 0
	for _, r := range p.Rows {
		if r.Status == Triggered {
			n++
		}
	}
	for _, g := range p.Groups {
		for _, r := range g.Rows {
			if r.Status == Triggered {
				n++
			}
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
