package incident

import "strings"

// Detail tells an incident from others with its title: the endpoint and the SLI of an
// SLO, or the component and source of another alert, as far as the title does not name
// them; and that it is about an SLA. It is empty where nothing does.
func (f *Facts) Detail(title string) string {
	named := []string{f.Endpoint, f.SLI}
	if f.SLOName == "" {
		named = []string{f.Component, f.Source}
	}
	var parts []string
	for _, part := range named {
		if part != "" && !strings.Contains(part, "://") && !strings.Contains(strings.ToLower(title), strings.ToLower(part)) {
			parts = append(parts, part)
		}
	}
	if f.SLA {
		parts = append(parts, "SLA")
	}
	return strings.Join(parts, ", ")
}
