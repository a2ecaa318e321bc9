package page

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// HoursText describes hours: "Mon–Fri 09:00–17:00 Europe/Madrid"; empty for none.
func HoursText(h *catalog.Hours) string {
	if h == nil {
		return ""
	}
	return strings.TrimSpace(DaysText(h.Days) + " " + h.From + "–" + h.To + " " + h.Timezone)
}

var week = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// DaysText joins consecutive days: "Mon–Wed, Sat". None stands for every day.
func DaysText(names []string) string {
	var parts []string
	for i := 0; i < len(week); i++ {
		if !slices.Contains(names, week[i]) {
			continue
		}
		first := i
		for i+1 < len(week) && slices.Contains(names, week[i+1]) {
			i++
		}
		part := Capitalize(week[first])
		switch i - first {
		case 0:
		case 1:
			part += ", " + Capitalize(week[i])
		default:
			part += "–" + Capitalize(week[i])
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "Every day"
	}
	return strings.Join(parts, ", ")
}

// Capitalize makes the first letter upper case; s must start with an ASCII letter.
func Capitalize(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// maxName bounds names, in characters.
const maxName = 100

// ValidName reports whether a team, a service or the organisation may have a name.
func ValidName(name string) bool {
	return name != "" && utf8.RuneCountInString(name) <= maxName && !strings.ContainsFunc(name, unicode.IsControl)
}
