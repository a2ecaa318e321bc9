package incidents

import (
	"strings"
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

// short is a summary's beginning, up to a space where there is one near the end;
// cut tells that there is more.
func (c Change) short() (text string, cut bool) {
	if utf8.RuneCountInString(c.Summary) <= maxSummary {
		return c.Summary, false
	}
	text = string([]rune(c.Summary)[:maxSummary-1])
	if space := strings.LastIndexByte(text, ' '); space > len(text)*3/4 {
		text = strings.TrimRight(text[:space], " ")
	}
	return text + "…", true
}
