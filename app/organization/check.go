package organization

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/rule"
)

func (c *checker) organization(o *Organization, path string) {
	c.zone(path+".timezone", o.Timezone, false)
	c.line(path+".name", o.Name)
	c.hours(path+".support_hours", o.SupportHours)
}

func (c *checker) priority(p *Priority, path string) {
	if c.need(path, "level") && (p.Level < 1 || p.Level > maxPriorities) {
		c.wrong(path+".level", "A level is 1 (the most urgent) to %d.", maxPriorities)
	}
	c.name(path+".name", p.Name)
	if strings.ContainsAny(p.Name, " \t:{},") {
		c.wrong(path+".name", "A priority's name is one short word such as P1.")
	}
	if len(p.Criteria) > maxCriteria {
		c.wrong(path+".criteria", "A priority has at most %d criteria of the organisation's own.", maxCriteria)
	}
}

const (
	maxPriorities = 5
	maxCriteria   = 5
)

func (c *checker) user(u *User, path string) {
	if c.need(path, "email") {
		email, err := auth.NormalizeEmail(u.Email)
		c.fault(path+".email", err)
		u.Email = email
	}
	c.line(path+".name", u.Name)
	if c.given(path+".role") && !c.leftOpen(u.Role) {
		c.role(path+".role", u.Role)
	}
	c.zone(path+".timezone", u.Timezone, true)
	each(c, path+".contacts", u.Contacts, c.contact, func(c *Contact) string { return c.ID })
	for i := range u.Rules {
		c.rule(&u.Rules[i], fmt.Sprintf("%s.rules[%d]", path, i))
	}
}

func (c *checker) role(path, role string) {
	_, err := auth.ParseRole(role)
	c.fault(path, err)
}

func (c *checker) contact(m *Contact, path string) {
	if c.need(path, "id") && !isSlug(m.ID) {
		c.wrong(path+".id", "An id is of lower-case letters, digits and hyphens.")
	}
	if c.need(path, "type") {
		_, err := notify.ParseMedium(m.Type)
		c.fault(path+".type", err)
	}
	if c.need(path, "value") && slices.Contains(notify.Media, notify.Medium(m.Type)) {
		value, err := notify.NormalizeAddress(notify.Medium(m.Type), m.Value)
		c.fault(path+".value", err)
		m.Value = value
	}
}

func (c *checker) rule(rule *Rule, path string) {
	if c.need(path, "urgency") && rule.Urgency != "high" && rule.Urgency != "low" {
		c.wrong(path+".urgency", "An urgency is high or low.")
	}
	c.need(path, "contact")
}

func (c *checker) team(t *Team, path string) {
	c.slug(path, &t.Slug, t.Name)
	c.name(path+".name", t.Name)
	person(&t.Manager)
	people(t.Members)
	if channel := t.Chat.Slack; channel != "" && !slackChannel.MatchString(channel) {
		c.wrong(path+".chat.slack", "Write a Slack channel such as \"#payments\", or its ID.")
	}
	c.hours(path+".support_hours", t.SupportHours)
}

// slackChannel is a channel's name or ID.
var slackChannel = regexp.MustCompile(`^(#[^\s#,A-Z]{1,80}|[CG][A-Z0-9]{6,20})$`)

func (c *checker) deployment(d *Deployment, path string) {
	c.slug(path, &d.Slug, d.Name)
	c.name(path+".name", d.Name)
	if c.given(path+".kind") && !c.leftOpen(d.Kind) && !isSlug(d.Kind) {
		c.wrong(path+".kind", "A kind is production, or another word of lower-case letters.")
	}
}

func (c *checker) policy(p *Policy, path string) {
	c.slug(path, &p.Slug, p.Name)
	c.name(path+".name", p.Name)
	if p.Repeat < 0 || p.Repeat > escalation.MaxRepeats {
		c.wrong(path+".repeat", "Repeats are 0 to %d.", escalation.MaxRepeats)
	}
	for i := range p.Fallback {
		c.target(&p.Fallback[i], fmt.Sprintf("%s.fallback[%d]", path, i))
	}
	if c.given(path+".steps") && len(p.Steps) == 0 {
		c.wrong(path+".steps", "A policy needs at least one step.")
	}
	for i := range p.Steps {
		c.step(&p.Steps[i], fmt.Sprintf("%s.steps[%d]", path, i))
	}
}

func (c *checker) step(s *Step, path string) {
	if c.need(path, "timeout") && s.Timeout.seconds() < 1 {
		c.wrong(path+".timeout", "The minimum timeout is 1s.")
	}
	for name, d := range s.TimeoutFor {
		if d.seconds() < 1 {
			c.wrong(join(path+".timeout_for", name), "The minimum timeout is 1s.")
		}
	}
	if c.need(path, "targets") && len(s.Targets) == 0 {
		c.wrong(path+".targets", "A step needs at least one target.")
	}
	for i := range s.Targets {
		c.target(&s.Targets[i], fmt.Sprintf("%s.targets[%d]", path, i))
	}
}

func (c *checker) target(t *Target, path string) {
	person(&t.User)
	const shapes = "A target is one of {schedule, position}, {user}, {team}, {team, role: manager} and {role}."
	switch {
	case t.Schedule != "" && t.Position == "":
		c.wrong(path, "Say which position of the schedule %s is meant.", t.Schedule)
	case t.Schedule == "" && t.Position != "", more(t.Schedule, t.User, t.Team), t == nil || *t == (Target{}),
		t.Role != "" && (t.Schedule != "" || t.User != ""):
		c.wrong(path, shapes)
	case t.Team != "" && t.Role != "" && t.Role != "manager":
		c.wrong(path+".role", "Within a team the role is manager.")
	case t.Role != "" && !slices.Contains([]string{"responder", "manager", "administrator"}, t.Role):
		c.wrong(path+".role", "A role is responder, manager or administrator.")
	}
}

// more reports whether more than one is set.
func more(values ...string) bool {
	set := 0
	for _, v := range values {
		if v != "" {
			set++
		}
	}
	return set > 1
}

func (c *checker) service(s *Service, path string) {
	c.slug(path, &s.Slug, s.Name)
	c.name(path+".name", s.Name)
	for i, d := range s.Dashboards {
		at := fmt.Sprintf("%s.dashboards[%d]", path, i)
		c.need(at, "text")
		if c.need(at, "href") {
			u, err := url.Parse(d.Href)
			if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				c.wrong(at+".href", "Write an address that begins with https://.")
			}
		}
	}
	each(c, path+".slos", s.SLOs, c.slo, func(o *SLO) string { return o.Slug })
}

func (c *checker) slo(o *SLO, path string) {
	c.slug(path, &o.Slug, o.Name)
	c.need(path, "name")
	c.line(path+".name", o.Name)
	c.need(path, "sli")
	if c.need(path, "objective") && !(o.Objective > 0 && o.Objective <= 100) {
		c.wrong(path+".objective", "An objective is a percentage above 0, up to 100.")
	}
	if c.need(path, "window") {
		if d, err := ParseDuration(o.Window); err != nil || d == 0 {
			c.wrong(path+".window", "A window is a length of time such as 28d.")
		}
	}
}

func (c *checker) integration(i *Integration, path string) {
	c.slug(path, &i.Slug, i.Name)
	c.name(path+".name", i.Name)
	if c.given(path+".kind") && !c.leftOpen(i.Kind) && !slices.Contains(catalog.Kinds, i.Kind) {
		c.wrong(path+".kind", "Integrations of kind %s are not part of this version of Tocsin; the kinds are %s.", i.Kind, strings.Join(catalog.Kinds, ", "))
	}
	if c.given(path+".key") && !c.leftOpen(i.Key) && !integrationKey.MatchString(i.Key) {
		// The key is not repeated: it is a secret, even if it is a wrong one.
		c.wrong(path+".key", "A key has %d digits and lower-case letters; this one has %d characters.",
			auth.IntegrationKeySize, utf8.RuneCountInString(i.Key))
	}
	if i.Dedup = strings.TrimSpace(i.Dedup); i.Dedup != "" {
		_, err := rule.CompileKey(i.Dedup)
		c.fault(path+".dedup", err)
	}
	if i.RateLimit < 0 {
		c.wrong(path+".rate_limit", "A limit is a number of signals a minute, or 0 for none.")
	}
}

var integrationKey = regexp.MustCompile(fmt.Sprintf(`^[0-9a-z]{%d}$`, auth.IntegrationKeySize))

// slug makes the slug from the name where it was left out.
func (c *checker) slug(path string, slug *string, name string) {
	switch {
	case c.given(path+".slug") && !c.leftOpen(*slug):
		if !isSlug(*slug) {
			c.wrong(path+".slug", "A slug is of lower-case letters, digits and hyphens, at most %d.", maxSlug)
		}
	case name == "":
		c.wrong(path, "This needs a slug or a name.")
	default:
		if *slug = Slug(name); *slug == "" {
			c.wrong(path+".name", "No slug can be made from this name. Write one: slug: my-slug.")
		}
	}
}

// leftOpen reports whether a value gets a default: it is empty in an edit that was
// made as a whole.
func (c *checker) leftOpen(value string) bool { return value == "" && c.source == everything{} }

// name checks a name that has a default.
func (c *checker) name(path, name string) {
	if !c.leftOpen(name) {
		c.line(path, name)
	}
}

// maxName is in characters, as auth has it for people.
const maxName = 100

// line checks a name that was given.
func (c *checker) line(path, name string) {
	if !c.given(path) {
		return
	}
	switch {
	case strings.TrimSpace(name) == "":
		c.wrong(path, "Write a name.")
	case name != strings.TrimSpace(name):
		c.wrong(path, "A name neither begins nor ends with a space.")
	case utf8.RuneCountInString(name) > maxName:
		c.wrong(path, "A name has at most %d characters.", maxName)
	case strings.ContainsFunc(name, unicode.IsControl):
		c.wrong(path, "A name is one line of text.")
	}
}

func (c *checker) zone(path, zone string, mayBeEmpty bool) {
	if !c.given(path) || zone == "" && mayBeEmpty {
		return
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || zone == "" {
		c.wrong(path, "%q is not a time zone such as Europe/Berlin.", zone)
	}
}

func (c *checker) hours(path string, h *Hours) {
	if h == nil {
		return
	}
	c.zone(path+".timezone", h.Timezone, true)
	if c.need(path, "days") && len(h.Days) == 0 {
		c.wrong(path+".days", "Name at least one day.")
	}
	c.need(path, "from")
	c.need(path, "to")
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
	c.wrong(path, "%s", message)
}

// person brings a reference to a person into the form in which addresses are kept.
func person(email *string) { *email = strings.ToLower(strings.TrimSpace(*email)) }

func people(emails []string) {
	for i := range emails {
		person(&emails[i])
	}
}
