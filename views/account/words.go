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
		return ", a channel that is not set up on this installation" + c.instead()
	case c.Replaces != "" && !c.Verified:
		return ", in use once verified; until then " + c.Replaces + " stays"
	}
	return ""
}

// instead is what happens to pages to a contact that nothing carries.
func (c Contact) instead() string {
	if !c.Verified {
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
	words := c.Address + " gets nothing any more."
	switch {
	case c.UsedBy == 1:
		words += " The row below that uses it is removed too."
	case c.UsedBy > 1:
		words += fmt.Sprintf(" The %d rows below that use it are removed too.", c.UsedBy)
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
			text += " (not set up here)"
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
		return "Every verified contact at once"
	case row < len(r.Rows):
		return "Leave out this row"
	}
	return "Another one…"
}

func invalid(f element.Field) templ.Attributes {
	if f.Error == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{"aria-invalid": "true", "autofocus": true}
}

func (f PasswordForm) hint() string {
	return fmt.Sprintf("At least %d characters; a sentence is good. Changing it signs you out everywhere else.", f.Shortest)
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
