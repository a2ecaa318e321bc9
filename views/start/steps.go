package start

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

func (p Page) contactDone() bool { return anyVerified(p.Contacts) }

func (p WelcomePage) done() bool { return anyVerified(p.Contacts) }

func anyVerified(contacts []account.Contact) bool {
	return slices.ContainsFunc(contacts, func(c account.Contact) bool { return c.Verified })
}

func (p Page) serviceDone() bool { return p.Service.Slug != "" }

func (p Page) answered() bool { return p.Test != nil && p.Test.Status != incidents.Triggered }

// current is the step that was asked for, else the first that is not done, or 0.
func (p Page) current() int {
	switch {
	case p.Step > 0:
		return p.Step
	case !p.contactDone():
		return 1
	case !p.serviceDone():
		return 2
	case p.Test == nil:
		return 3
	case !p.answered():
		return 4
	}
	return 0
}

func (p Page) speed() string {
	if p.Test.AnsweredIn <= 0 {
		return ""
	}
	return ", " + element.Duration(p.Test.AnsweredIn) + " after the signal"
}

func attemptKind(a incidents.Attempt) string {
	if a.State == incidents.Failed {
		return "failed"
	}
	return "system"
}

// lacksKey reports whether what there is to copy needs the key.
func (p Page) lacksKey() bool {
	return strings.Contains(p.Curl, element.KeyVariable) || element.LackKey(p.Snippets)
}

// or begins the sentence about a sender: an alternative where a test can be sent.
func (p Page) or(words string) string {
	if p.MayTest {
		return "Or " + words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// aNoun is the noun with its article, at the start of a sentence.
func (p Page) aNoun() string { return "A" + element.WithArticle(p.Noun)[1:] }

// skip leads to the step after one.
func skip(n int) string { return fmt.Sprintf("/start?step=%d", n+1) }
