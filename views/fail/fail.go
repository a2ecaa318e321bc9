// Package fail shows what went wrong, in words, and a way on.
package fail

import "github.com/tocsin-oncall/tocsin/views/layout"

// Page is an error. The Frame may be of nobody.
type Page struct {
	Frame  layout.Frame
	Status int // 403, 404, 422, 500, 503…
	// Message is what the fault says of itself; never a cause. Empty takes the
	// page's own words for the status.
	Message string
	// Fields name what is wrong, where the request had a form.
	Fields []string
	// Reference is what the log knows it by; empty where there is none.
	Reference string
	// Back leads back to where the reader was; empty for the start.
	Back string
}
