package people

import (
	"strings"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func (r ListRow) teams() string {
	if len(r.Teams) == 0 {
		return ""
	}
	names := make([]string, len(r.Teams))
	for i, t := range r.Teams {
		names[i] = t.Name
	}
	return strings.Join(names, ", ")
}

func roleOptions() []element.Option {
	options := make([]element.Option, len(Roles))
	for i, r := range Roles {
		options[i] = element.Option{Value: r, Text: roleName(r)}
	}
	return options
}

func roleName(role string) string { return strings.ToUpper(role[:1]) + role[1:] }

// localTime is what the person's own clock shows.
func (p Page) localTime() string {
	if p.Zone == nil {
		return ""
	}
	return " · " + p.Frame.Clock.Now.In(p.Zone).Format("Mon 15:04") + " in " + p.Zone.String()
}
