package page

import (
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// maxChangeLinks bounds the links that are shown of a change.
const maxChangeLinks = 5

// Changes are changes of a service as pages show them.
func Changes(recorded []ingest.RecordedChange) []incidents.Change {
	changes := make([]incidents.Change, len(recorded))
	for i, c := range recorded {
		changes[i] = incidents.Change{At: c.At, Summary: c.Summary, Source: c.Source}
		for _, l := range c.Links[:min(len(c.Links), maxChangeLinks)] {
			changes[i].Links = append(changes[i].Links, element.Link{Text: l.Text, Href: l.Href})
		}
	}
	return changes
}
