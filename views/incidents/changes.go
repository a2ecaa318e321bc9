package incidents

import (
	"time"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// Change is a deployment or another change of a service.
type Change struct {
	At      time.Time
	Summary string
	Source  string // the tool or host that reported it; may be empty
	Links   []element.Link
}

// maxSummary bounds, in runes, what is shown of a summary before it is opened.
const maxSummary = 160

// short is a summary's beginning; cut tells that there is more.
func (c Change) short() (text string, cut bool) {
	if utf8.RuneCountInString(c.Summary) <= maxSummary {
		return c.Summary, false
	}
	return string([]rune(c.Summary)[:maxSummary-1]) + "…", true
}
