package incident

import "strings"

// Detail tells an incident from others with its title: the endpoint and the SLI of an
// SLO and that it is an SLA, or the component and source of another alert, as far as the
// title does not name them. It is empty where nothing does.
func (f *Facts) Detail(title string) string {
	named := []string{f.Endpoint, f.SLI}
	if f.SLOName == "" {
		named = []string{f.Component, f.Source}
	}
	if f.SLA {
		named = append(named, "SLA")
	}
	var parts []string
	for _, part := range named {
		if part != "" && !strings.Contains(part, "://") && !strings.Contains(strings.ToLower(title), strings.ToLower(part)) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}
