package element

import (
	"time"

	"github.com/a-h/templ"
)

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func stateWord(status string) string {
	switch status {
	case "triggered":
		return "Triggered"
	case "acknowledged":
		return "Acknowledged"
	case "resolved":
		return "Resolved"
	}
	return status
}

func linkText(l Link) string {
	if l.Text == "" {
		return l.Href
	}
	return l.Text
}

func clamp(percent float64) float64 { return max(0, min(100, percent)) }

func typeOf(in Input) string {
	if in.Type == "" {
		return "text"
	}
	return in.Type
}

// described ties an input to its hint or to what is wrong with it.
func described(in Input) templ.Attributes {
	attributes := templ.Attributes{}
	if id := in.described(); id != "" {
		attributes["aria-describedby"] = id
	}
	if in.Field.Error != "" {
		attributes["aria-invalid"] = "true"
	}
	return attributes
}

// optional are the attributes that are left out where they say nothing.
func optional(in Input) templ.Attributes {
	attributes := templ.Attributes{}
	for name, value := range map[string]string{
		"autocomplete": in.Autocomplete,
		"inputmode":    in.Inputmode,
		"placeholder":  in.Placeholder,
	} {
		if value != "" {
			attributes[name] = value
		}
	}
	return attributes
}
