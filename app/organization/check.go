package organization

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// slug makes the slug from the name where it was left out.
func (c *checker) slug(path string, slug *string, name string) {
	switch {
	case c.given(path+".slug") && !c.takesDefault(*slug):
		if !isSlug(*slug) {
			c.problem(path+".slug", "A slug is of lower-case letters, digits and hyphens, at most %d.", maxSlug)
		}
	case name == "":
		c.problem(path, "This needs a slug or a name.")
	default:
		if *slug = Slug(name); *slug == "" {
			c.problem(path+".name", "No slug can be made from this name. Write one: slug: my-slug.")
		}
	}
}

// takesDefault reports whether a value gets a default: it is empty in an edit that was
// made as a whole.
func (c *checker) takesDefault(value string) bool { return value == "" && c.source == everything{} }

// nameOrDefault checks a name that has a default.
func (c *checker) nameOrDefault(path, name string) {
	if !c.takesDefault(name) {
		c.givenName(path, name)
	}
}

// maxName is in characters, as auth has it for people.
const maxName = 100

// givenName checks a name that was given.
func (c *checker) givenName(path, name string) {
	if !c.given(path) {
		return
	}
	switch {
	case strings.TrimSpace(name) == "":
		c.problem(path, "Write a name.")
	case name != strings.TrimSpace(name):
		c.problem(path, "A name neither begins nor ends with a space.")
	case utf8.RuneCountInString(name) > maxName:
		c.problem(path, "A name has at most %d characters.", maxName)
	case strings.ContainsFunc(name, unicode.IsControl):
		c.problem(path, "A name is one line of text.")
	}
}

func (c *checker) zone(path, zone string, mayBeEmpty bool) {
	if !c.given(path) || zone == "" && mayBeEmpty {
		return
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || zone == "" {
		c.problem(path, "%q is not a time zone such as Europe/Berlin.", zone)
	}
}

// fault reports what another package says of a value.
func (c *checker) fault(path string, err error) {
	if err == nil {
		return
	}
	message := err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		message = f.Message
		if len(f.Fields) > 0 {
			message = f.Fields[0].Message
		}
	}
	c.problem(path, "%s", message)
}

// normalizeAddress brings a reference to a person into the form in which addresses are kept.
func normalizeAddress(email *string) { *email = strings.ToLower(strings.TrimSpace(*email)) }

func normalizeAddresses(emails []string) {
	for i := range emails {
		normalizeAddress(&emails[i])
	}
}

// moreThanOne reports whether more than one is set.
func moreThanOne(values ...string) bool {
	set := 0
	for _, v := range values {
		if v != "" {
			set++
		}
	}
	return set > 1
}
