// Package provider has the accounts at the services that carry messages: which kinds
// there are, what their settings are, and the channels that are made of them. Settings
// come from the environment or, for a provider that has none there, from the database,
// where the browser saves them.
package provider

import (
	"context"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Values are the settings of one provider by the name of the field. A field that is
// missing is empty.
type Values map[string]string

// Field is one setting.
type Field struct {
	Name  string
	Label string
	// Hint says where the value is found; empty for none.
	Hint string
	// Secret values are never shown again.
	Secret bool
	// Optional fields may be empty.
	Optional bool
	// Options are the values to choose from; nil for any text.
	Options []Option
	// Default is what a new form begins with.
	Default string
	// Rare fields are folded away.
	Rare bool
}

// Option is one value of a Field.
type Option struct{ Value, Text string }

// Account is an account at a provider.
type Account interface {
	notify.Channel
	// Check asks the provider whether it knows the account. It sends nothing.
	Check(ctx context.Context) error
}

// Kind is a kind of provider.
type Kind struct {
	// Name is the key in the database and in addresses: "smtp".
	Name string
	// Title is the name for people: "Email (SMTP)".
	Title string
	// Help says where an account is made and its settings are found.
	Help string
	// Medium is what it carries.
	Medium notify.Medium
	// Variables are the environment variables that set it.
	Variables []string
	Fields    []Field

	// given are the settings of the environment; nil where it has none.
	given func(config.Config) Values
	// open checks the settings without connecting. The fault names the fields.
	open func(Values) (Account, error)
}

// kinds are all, in the order in which they are shown. A new provider is a package
// below notify, a file here that describes its settings, and a line in this list.
var kinds = []Kind{smtp, twilioSMS, slackBot}

// Kinds are all kinds of providers.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindNamed finds a kind by its name.
func KindNamed(name string) (Kind, error) {
	if i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name }); i >= 0 {
		return kinds[i], nil
	}
	return Kind{}, fault.NotFound("There is no provider %q.", name)
}

// maxValue bounds a setting, in bytes.
const maxValue = 1000

// Open checks settings and makes an account of them, without connecting. The fault
// names every field that is wrong.
func (k Kind) Open(v Values) (Account, error) {
	var wrong []fault.Field
	for _, f := range k.Fields {
		value := v[f.Name]
		switch {
		case value == "" && !f.Optional:
			wrong = append(wrong, fault.Field{Path: f.Name, Message: "This is needed."})
		case len(value) > maxValue || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
			wrong = append(wrong, fault.Field{Path: f.Name, Message: "This is one line of at most 1000 characters."})
		case f.Options != nil && !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == value }):
			wrong = append(wrong, fault.Field{Path: f.Name, Message: "Choose one of the list."})
		}
	}
	if wrong != nil {
		return nil, fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	return k.open(v)
}

// known keeps the values of the kind's fields, trimmed.
func (k Kind) known(v Values) Values {
	kept := Values{}
	for _, f := range k.Fields {
		if value := strings.TrimSpace(v[f.Name]); value != "" {
			kept[f.Name] = value
		}
	}
	return kept
}

// Public are the values that may be shown.
func (k Kind) Public(v Values) Values {
	shown := Values{}
	for _, f := range k.Fields {
		if !f.Secret && v[f.Name] != "" {
			shown[f.Name] = v[f.Name]
		}
	}
	return shown
}

// Complete puts the secrets of saved settings where a form leaves them empty: a form
// never shows a secret, so an empty one means the saved one. The secret of one server
// or account is not sent to another: where another field than a secret differs in
// where the secret goes, nothing is filled in.
func (k Kind) Complete(typed, saved Values) Values {
	complete := k.known(typed)
	for _, f := range k.Fields {
		if f.Secret && complete[f.Name] == "" && saved[f.Name] != "" && k.sameRecipient(complete, saved) {
			complete[f.Name] = saved[f.Name]
		}
	}
	return complete
}

// recipients are the fields that say to whom a secret is sent.
var recipients = []string{"host", "port", "security", "user", "account-sid", "base-url"}

func (k Kind) sameRecipient(a, b Values) bool {
	return !slices.ContainsFunc(recipients, func(name string) bool { return a[name] != b[name] })
}

// invalid is a fault about one field.
func invalid(field, message string) error {
	return fault.Invalid("%s", message).With(fault.Field{Path: field, Message: message})
}
