package integrations

import (
	"fmt"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func serviceWords(r element.Ref) string {
	if r.Name == "" {
		return "named in each signal"
	}
	return r.Name
}

// curl is the command that sends a breach, with the key where it is revealed.
func (p Page) curl() string {
	key := p.Key
	if key == "" {
		key = element.KeyVariable
	}
	return fmt.Sprintf(`curl -sS %s \
  -H "Authorization: Bearer %s" \
  -H "Content-Type: application/json" \
  -d '{
    "service": "%s",
    "sli": "availability",
    "slo": {"name": "A first test", "objective": 99.7, "window": "28d"},
    "observed": 98.9
  }'`, p.Endpoint, key, p.ExampleService)
}

// lacksKey reports whether what there is to copy needs the key.
func (p Page) lacksKey() bool { return p.Key == "" && (p.Native || element.LackKey(p.Snippets)) }

// part is a stretch of a body, the name of a wrong field or anything else.
type part struct {
	text  string
	wrong bool
}

// marked cuts the body at the names of the fields that are wrong: the last
// name of a path such as "slo.name" or "links[0].href", as JSON writes it.
func (r Rejected) marked() []part {
	names := map[string]bool{}
	for _, f := range r.Fields {
		name := f.Path[strings.LastIndexByte(f.Path, '.')+1:]
		name, _, _ = strings.Cut(name, "[")
		if name != "" {
			names[`"`+name+`"`] = true
		}
	}
	var parts []part
	rest := r.Body
	for rest != "" {
		at, name := -1, ""
		for n := range names {
			if i := strings.Index(rest, n); i >= 0 && (at < 0 || i < at) {
				at, name = i, n
			}
		}
		if at < 0 {
			break
		}
		if at > 0 {
			parts = append(parts, part{text: rest[:at]})
		}
		parts = append(parts, part{text: name, wrong: true})
		rest = rest[at+len(name):]
	}
	if rest != "" {
		parts = append(parts, part{text: rest})
	}
	return parts
}

func (p Page) about() templ.Component {
	what := element.Say(p.Kind + ", the service is named in each signal")
	if p.Service.Slug != "" {
		what = element.Say(p.Kind+", for ", element.To("/services/", p.Service))
	}
	return element.Say(what, element.If(p.RateLimit > 0, fmt.Sprintf(", at most %d signals a minute", p.RateLimit)))
}

// bodyDecides says where signals of a key without a service go.
func (p Page) bodyDecides() templ.Component {
	unknown := element.Say("A signal for an unknown service is rejected: there is no catch-all service.")
	if p.CatchAll.Slug != "" {
		unknown = element.Say("Unknown services go to ", element.To("/services/", p.CatchAll), " (catch-all).")
	}
	return element.Say(p.aNoun()+" names its service, and pages its on-call. ", unknown)
}

// sentence says whom a test for a service pages.
func (t TestTarget) sentence() templ.Component {
	if t.Pages == "" {
		return element.Say("This pages only the administrators.")
	}
	return element.Say("This pages ", element.Strong(t.Pages), ".")
}

// testOptions are the services of a test, each with whom it pages.
func testOptions(targets []TestTarget) []element.Option {
	options := make([]element.Option, len(targets))
	for i, t := range targets {
		pages := t.Pages
		if pages == "" {
			pages = "the administrators"
		}
		options[i] = element.Option{Value: t.Service.Slug, Text: t.Service.Name + ": pages " + pages}
	}
	return options
}

// testLabel is what the button says: "Page Hugo".
func (p Page) testLabel() string {
	switch {
	case len(p.Tests) != 1:
		return "Page the on-call"
	case len(p.Tests[0].People) == 0:
		return "Page the administrators"
	}
	names := make([]string, len(p.Tests[0].People))
	for i, person := range p.Tests[0].People {
		names[i] = person.First()
	}
	return "Page " + element.And(names)
}

// aNoun is the noun with its article, at the start of a sentence.
func (p Page) aNoun() string { return "A" + element.WithArticle(p.Noun)[1:] }

// coded is a text with what stands between backticks as code.
func coded(text string) templ.Component {
	var parts []any
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			parts = append(parts, code(part))
		} else {
			parts = append(parts, part)
		}
	}
	return element.Say(parts...)
}

func (s Signal) standing() string {
	if s.Count > 1 {
		return fmt.Sprintf("%s, %d times", s.Status, s.Count)
	}
	return s.Status
}

// maxShortKey is the length of a key in short, in characters.
const maxShortKey = 40

// shortKey are the parts of a signal's dedup key that tell it from the others on the
// page; where none does, all parts. Parts that are empty are left out.
func (p Page) shortKey(s Signal) string {
	parts := strings.Split(s.DedupKey, "|")
	if len(parts) == 1 {
		return cutKey(s.DedupKey)
	}
	var all, differing []string
	for i, part := range parts {
		if part == "" {
			continue
		}
		all = append(all, part)
		if slices.ContainsFunc(p.Signals, func(other Signal) bool {
			others := strings.Split(other.DedupKey, "|")
			return len(others) == len(parts) && others[i] != part
		}) {
			differing = append(differing, part)
		}
	}
	if differing != nil {
		all = differing
	}
	return cutKey(strings.Join(all, " · "))
}

func cutKey(key string) string {
	if runes := []rune(key); len(runes) > maxShortKey {
		return string(runes[:maxShortKey-1]) + "…"
	}
	return key
}
