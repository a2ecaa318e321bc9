// Package search shows what a search over everything finds.
package search

import (
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Page is what a text finds: GET /search?q=. Without a text it is what one can do
// from anywhere. The dialog of search.js is made of it too.
type Page struct {
	Frame  layout.Frame
	Query  string
	Groups []Group
	// Nothing says that nothing was found, other than links that look further.
	Nothing bool
}

// Group is what was found of one kind.
type Group struct {
	Name string // "People"
	Hits []Hit
}

// Hit is something found.
type Hit struct {
	Href string
	Icon string
	Text string
	More string // beside it: an incident's state, a person's team
}
