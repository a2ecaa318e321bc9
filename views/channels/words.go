package channels

import (
	"fmt"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func (p Provider) id() string { return "provider-" + p.Name }

// set reports whether there are settings.
func (p Provider) set() bool { return p.Locked || p.Saved }

// failing reports whether the last message failed.
func (p Provider) failing() bool { return !p.Failed.IsZero() && p.Failed.After(p.Accepted) }

// input is a field as an input of the form.
func (p Provider) input(f Field) element.Input {
	in := element.Input{Name: f.Name, ID: p.id() + "-" + f.Name, Label: f.Label, Hint: f.Hint, Required: f.Needed && !f.Known, Autocomplete: "off", Field: f.Field}
	if f.Secret {
		in.Type, in.Autocomplete = "password", "new-password"
		if f.Known {
			in.Hint = "Saved, and never shown. Leave it empty to keep it."
		}
	}
	if !f.Needed && !f.Rare && !f.Known {
		in.Label += " (optional)"
	}
	return in
}

func (p Provider) usual() []Field { return p.fields(false) }
func (p Provider) rare() []Field  { return p.fields(true) }

func (p Provider) fields(rare bool) []Field {
	var list []Field
	for _, f := range p.Fields {
		if f.Rare == rare {
			list = append(list, f)
		}
	}
	return list
}

// used reports whether one of the rare fields has a value or an error.
func used(list []Field) bool {
	for _, f := range list {
		if f.Field.Value+f.Field.Error != "" {
			return true
		}
	}
	return false
}

// shown are the settings that may be shown, for those that are locked.
func (p Provider) shown() []Field {
	var list []Field
	for _, f := range p.Fields {
		if !f.Secret && f.Field.Value != "" {
			list = append(list, f)
		}
	}
	return list
}

// toLabel asks where a test goes.
func (p Provider) toLabel() string {
	switch p.Medium {
	case "email":
		return "Send the test to (email address)"
	case "slack":
		return "Send the test to (Slack member ID)"
	}
	return "Send the test to (phone number)"
}

func (p Provider) toHint() string {
	if p.Medium == "slack" {
		return "Your Slack profile, ⋮, Copy member ID."
	}
	return ""
}

// action is where the form of the address is posted to.
func (o OwnAddress) action() string {
	if o.ContactID != 0 {
		return fmt.Sprintf("/me/contacts/%d/code", o.ContactID)
	}
	return "/me/contacts"
}
