package account

import (
	"fmt"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func (c Contact) standing() string {
	switch {
	case c.Stopped:
		return ", off until you send START"
	case c.NotConfigured:
		return ", a channel that is not set up here" + c.instead()
	case c.Replaces != "" && !c.Verified:
		return ", in use once verified; until then " + c.Replaces + " stays"
	}
	return ""
}

// instead is what happens to pages to a contact that nothing carries.
func (c Contact) instead() string {
	if !c.Verified || !c.Others {
		return ""
	}
	return "; your other contacts are used"
}

// usable are those that a rule can name: the verified ones, and the one that it
// names already.
func (p Page) usable(named int64) []Contact {
	var list []Contact
	for _, c := range p.Contacts {
		if c.Verified || c.ID == named {
			list = append(list, c)
		}
	}
	return list
}

// removing says what goes with the contact.
func (c Contact) removing() string {
	words := "Nothing is sent to " + c.Address + " any more."
	switch {
	case c.UsedBy == 1:
		words += " The step below that uses it is removed too."
	case c.UsedBy > 1:
		words += fmt.Sprintf(" The %d steps below that use it are removed too.", c.UsedBy)
	}
	return words
}

func codeVariant(c Contact) string {
	if c.CodeSentAt.IsZero() {
		return "default"
	}
	return "outline"
}

func (f AddContact) options() []element.Option {
	options := make([]element.Option, len(f.Media))
	for i, m := range f.Media {
		text := element.Medium(m.Name)
		if !m.Configured {
			text += " (not available)"
		}
		options[i] = element.Option{Value: m.Name, Text: text}
	}
	return options
}

// spareRows are offered empty below those that there are.
const spareRows = 1

func (r Rules) padded() []Rule {
	rows := append([]Rule(nil), r.Rows...)
	for range spareRows {
		rows = append(rows, Rule{})
	}
	return rows
}

// unused is what the empty choice of a row says.
func unused(row int, r Rules) string {
	switch {
	case len(r.Rows) == 0:
		return "All verified contact methods at once"
	case row < len(r.Rows):
		return "Remove this step"
	}
	return "Add a step…"
}

func invalid(f element.Field) templ.Attributes {
	if f.Error == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{"aria-invalid": "true", "autofocus": true}
}

func (f PasswordForm) hint() string {
	return fmt.Sprintf("At least %d characters; a sentence is good. You will be signed out everywhere else.", f.Shortest)
}

func (p Page) zones() []element.Option {
	options := []element.Option{{Value: "", Text: "The organisation’s, " + p.Profile.Default}}
	for _, z := range p.Zones {
		options = append(options, element.Option{Value: z, Text: z})
	}
	return options
}

func (s Shift) sentence(c element.Clock) templ.Component {
	if !s.Start.After(c.Now) {
		return element.Say("Now", element.If(!s.End.IsZero(), ", until ", element.When(c, s.End)))
	}
	return element.Say(element.When(c, s.Start), element.If(!s.End.IsZero(), " to ", element.When(c, s.End)))
}

// hints are how an address of each medium is written.
var hints = map[string]string{
	"sms":   "a phone number with its country code, such as +34\u00a0600\u00a0000\u00a0001",
	"voice": "a phone number with its country code, such as +34\u00a0600\u00a0000\u00a0001",
	"email": "an address such as ana@example.com",
	"slack": "your member ID, such as U024BE7LH: Slack profile, ⋮, Copy member ID",
}

func hintFor(m Medium) string {
	if !m.Configured {
		return hints[m.Name] + ". This channel is not set up yet."
	}
	return hints[m.Name] + "."
}
