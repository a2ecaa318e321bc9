package blueprint

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

// check finds what is wrong with a file by itself, and puts slugs that were
// left out and addresses in the form in which they are kept.
func (r *reader) check() {
	f := r.file
	switch {
	case !f.given("version"):
		r.wrong(place{1, 1}, "version", "Say which version of the format this is: version: %d.", FormatVersion)
	case f.Version != FormatVersion:
		r.wrongAt("version", "This version of Tocsin reads version %d of the format.", FormatVersion)
	}
	if f.Organization != nil {
		r.organization(f.Organization)
	}
	each(r, "priorities", f.Priorities, r.priority, func(p *Priority) string { return fmt.Sprint(p.Level) })
	each(r, "users", f.Users, r.user, func(u *User) string { return u.Email })
	each(r, "teams", f.Teams, r.team, func(t *Team) string { return t.Slug })
	each(r, "deployments", f.Deployments, r.deployment, func(d *Deployment) string { return d.Slug })
	each(r, "schedules", f.Schedules, r.schedule, func(s *Schedule) string { return s.Slug })
	each(r, "escalation_policies", f.EscalationPolicies, r.policy, func(p *Policy) string { return p.Slug })
	each(r, "services", f.Services, r.service, func(s *Service) string { return s.Slug })
	each(r, "integrations", f.Integrations, r.integration, func(i *Integration) string { return i.Slug })
	r.distinctKeys()
}

// each checks every entry of a list, and that no two are the same thing.
func each[T any](r *reader, path string, list []T, check func(*T, string), identity func(*T) string) {
	seen := map[string]int{}
	for i := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		check(&list[i], at)
		id := identity(&list[i])
		if first, twice := seen[id]; twice && id != "" {
			r.wrongAt(at, "%s is there already, in line %d.", id, r.file.placeAt(fmt.Sprintf("%s[%d]", path, first)).line)
		} else {
			seen[id] = i
		}
	}
}

func (r *reader) organization(o *Organization) {
	r.zone("organization.timezone", o.Timezone, false)
	r.line("organization.name", o.Name)
	r.hours("organization.support_hours", o.SupportHours)
}

func (r *reader) priority(p *Priority, path string) {
	if r.need(path, "level") && (p.Level < 1 || p.Level > mostPriorities) {
		r.wrongAt(path+".level", "A level is 1 (the most urgent) to %d.", mostPriorities)
	}
	r.line(path+".name", p.Name)
	if strings.ContainsAny(p.Name, " \t:{},") {
		r.wrongAt(path+".name", "A priority's name is one short word such as P1.")
	}
	if len(p.Criteria) > mostCriteria {
		r.wrongAt(path+".criteria", "A priority has at most %d criteria of the organisation's own.", mostCriteria)
	}
}

const (
	mostPriorities = 5
	mostCriteria   = 5
)

func (r *reader) user(u *User, path string) {
	if r.need(path, "email") {
		email, err := auth.NormalizeEmail(u.Email)
		r.fault(path+".email", err)
		u.Email = email
	}
	r.line(path+".name", u.Name)
	if r.file.given(path + ".role") {
		_, err := auth.ParseRole(u.Role)
		r.fault(path+".role", err)
	}
	r.zone(path+".timezone", u.Timezone, true)
	each(r, path+".contacts", u.Contacts, r.contact, func(c *Contact) string { return c.ID })
	for i := range u.Rules {
		r.rule(&u.Rules[i], fmt.Sprintf("%s.rules[%d]", path, i))
	}
}

func (r *reader) contact(c *Contact, path string) {
	if r.need(path, "id") && !isSlug(c.ID) {
		r.wrongAt(path+".id", "An id is of lower-case letters, digits and hyphens.")
	}
	if r.need(path, "type") {
		_, err := notify.ParseMedium(c.Type)
		r.fault(path+".type", err)
	}
	if r.need(path, "value") && slices.Contains(notify.Media, notify.Medium(c.Type)) {
		value, err := notify.NormalizeAddress(notify.Medium(c.Type), c.Value)
		r.fault(path+".value", err)
		c.Value = value
	}
}

func (r *reader) rule(rule *Rule, path string) {
	if r.need(path, "urgency") && rule.Urgency != "high" && rule.Urgency != "low" {
		r.wrongAt(path+".urgency", "An urgency is high or low.")
	}
	r.need(path, "contact")
}

func (r *reader) team(t *Team, path string) {
	r.slug(path, &t.Slug, t.Name)
	r.line(path+".name", t.Name)
	person(&t.Manager)
	people(t.Members)
	if c := t.Chat.Slack; c != "" && !slackChannel.MatchString(c) {
		r.wrongAt(path+".chat.slack", "Write a Slack channel such as \"#payments\", or its ID.")
	}
	r.hours(path+".support_hours", t.SupportHours)
}

// slackChannel is a channel's name or ID.
var slackChannel = regexp.MustCompile(`^(#[^\s#,A-Z]{1,80}|[CG][A-Z0-9]{6,20})$`)

func (r *reader) deployment(d *Deployment, path string) {
	r.slug(path, &d.Slug, d.Name)
	r.line(path+".name", d.Name)
	if r.file.given(path+".kind") && !isSlug(d.Kind) {
		r.wrongAt(path+".kind", "A kind is production, or another word of lower-case letters.")
	}
}

func (r *reader) policy(p *Policy, path string) {
	r.slug(path, &p.Slug, p.Name)
	r.line(path+".name", p.Name)
	if p.Repeat < 0 || p.Repeat > escalation.MaxRepeats {
		r.wrongAt(path+".repeat", "Repeats are 0 to %d.", escalation.MaxRepeats)
	}
	for i := range p.Fallback {
		r.target(&p.Fallback[i], fmt.Sprintf("%s.fallback[%d]", path, i))
	}
	if r.file.given(path+".steps") && len(p.Steps) == 0 {
		r.wrongAt(path+".steps", "A policy needs at least one step.")
	}
	for i := range p.Steps {
		r.step(&p.Steps[i], fmt.Sprintf("%s.steps[%d]", path, i))
	}
}

func (r *reader) step(s *Step, path string) {
	if r.need(path, "timeout") && s.Timeout.seconds() < 1 {
		r.wrongAt(path+".timeout", "The minimum timeout is 1s.")
	}
	for name, d := range s.TimeoutFor {
		if d.seconds() < 1 {
			r.wrongAt(join(path+".timeout_for", name), "The minimum timeout is 1s.")
		}
	}
	if r.need(path, "targets") && len(s.Targets) == 0 {
		r.wrongAt(path+".targets", "A step needs at least one target.")
	}
	for i := range s.Targets {
		r.target(&s.Targets[i], fmt.Sprintf("%s.targets[%d]", path, i))
	}
}

func (r *reader) target(t *Target, path string) {
	person(&t.User)
	const shapes = "A target is one of {schedule, position}, {user}, {team}, {team, role: manager} and {role}."
	switch {
	case t.Schedule != "" && t.Position == "":
		r.wrongAt(path, "Say which position of the schedule %s is meant.", t.Schedule)
	case t.Schedule == "" && t.Position != "", more(t.Schedule, t.User, t.Team), t == nil || *t == (Target{}),
		t.Role != "" && (t.Schedule != "" || t.User != ""):
		r.wrongAt(path, shapes)
	case t.Team != "" && t.Role != "" && t.Role != "manager":
		r.wrongAt(path+".role", "Within a team the role is manager.")
	case t.Role != "" && !slices.Contains([]string{"responder", "manager", "administrator"}, t.Role):
		r.wrongAt(path+".role", "A role is responder, manager or administrator.")
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

func (r *reader) service(s *Service, path string) {
	r.slug(path, &s.Slug, s.Name)
	r.line(path+".name", s.Name)
	for i, d := range s.Dashboards {
		at := fmt.Sprintf("%s.dashboards[%d]", path, i)
		r.need(at, "text")
		if r.need(at, "href") {
			u, err := url.Parse(d.Href)
			if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				r.wrongAt(at+".href", "Write an address that begins with https://.")
			}
		}
	}
	each(r, path+".slos", s.SLOs, r.slo, func(o *SLO) string { return o.Slug })
}

func (r *reader) slo(o *SLO, path string) {
	r.slug(path, &o.Slug, o.Name)
	r.need(path, "name")
	r.line(path+".name", o.Name)
	r.need(path, "sli")
	if r.need(path, "objective") && !(o.Objective > 0 && o.Objective <= 100) {
		r.wrongAt(path+".objective", "An objective is a percentage above 0, up to 100.")
	}
	if r.need(path, "window") {
		if d, err := ParseDuration(o.Window); err != nil || d == 0 {
			r.wrongAt(path+".window", "A window is a length of time such as 28d.")
		}
	}
}

func (r *reader) integration(i *Integration, path string) {
	r.slug(path, &i.Slug, i.Name)
	r.line(path+".name", i.Name)
	if r.file.given(path+".kind") && !slices.Contains(catalog.Kinds, i.Kind) {
		r.wrongAt(path+".kind", "Integrations of kind %s are not part of this version of Tocsin; the kinds are %s.", i.Kind, strings.Join(catalog.Kinds, ", "))
	}
	if r.file.given(path+".key") && !integrationKey.MatchString(i.Key) {
		// The key is not repeated: it is a secret, even if it is a wrong one.
		r.wrongAt(path+".key", "A key has %d digits and lower-case letters; this one has %d characters.",
			auth.IntegrationKeySize, utf8.RuneCountInString(i.Key))
	}
	if i.Dedup = strings.TrimSpace(i.Dedup); i.Dedup != "" {
		_, err := rule.CompileKey(i.Dedup)
		r.fault(path+".dedup", err)
	}
	if i.RateLimit < 0 {
		r.wrongAt(path+".rate_limit", "A limit is a number of signals a minute, or 0 for none.")
	}
}

var integrationKey = regexp.MustCompile(fmt.Sprintf(`^[0-9a-z]{%d}$`, auth.IntegrationKeySize))

func (r *reader) distinctKeys() {
	first := map[string]int{}
	for i, in := range r.file.Integrations {
		if j, twice := first[in.Key]; twice && in.Key != "" {
			r.wrongAt(fmt.Sprintf("integrations[%d].key", i), "%s has the same key.", r.file.Integrations[j].Slug)
		}
		first[in.Key] = i
	}
}

func (r *reader) need(path, key string) bool {
	if r.file.given(path + "." + key) {
		return true
	}
	// A value that could not be read has been reported already.
	for _, m := range r.mistakes[:r.unread] {
		if within(m.Field, path+"."+key) {
			return false
		}
	}
	r.wrongAt(path, "The key %s is missing here.", key)
	return false
}

// slug makes the slug from the name where it was left out.
func (r *reader) slug(path string, slug *string, name string) {
	switch {
	case r.file.given(path + ".slug"):
		if !isSlug(*slug) {
			r.wrongAt(path+".slug", "A slug is of lower-case letters, digits and hyphens, at most %d.", longestSlug)
		}
	case name == "":
		r.wrongAt(path, "This needs a slug or a name.")
	default:
		if *slug = Slug(name); *slug == "" {
			r.wrongAt(path+".name", "No slug can be made from this name. Write one: slug: my-slug.")
		}
	}
}

// longestName is in characters, as auth has it for people.
const longestName = 100

// line checks a name that was given.
func (r *reader) line(path, name string) {
	if !r.file.given(path) {
		return
	}
	switch {
	case strings.TrimSpace(name) == "":
		r.wrongAt(path, "Write a name.")
	case name != strings.TrimSpace(name):
		r.wrongAt(path, "A name neither begins nor ends with a space.")
	case utf8.RuneCountInString(name) > longestName:
		r.wrongAt(path, "A name has at most %d characters.", longestName)
	case strings.ContainsFunc(name, unicode.IsControl):
		r.wrongAt(path, "A name is one line of text.")
	}
}

func (r *reader) zone(path, zone string, mayBeEmpty bool) {
	if !r.file.given(path) || zone == "" && mayBeEmpty {
		return
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || zone == "" {
		r.wrongAt(path, "%q is not a time zone such as Europe/Berlin.", zone)
	}
}

func (r *reader) hours(path string, h *Hours) {
	if h == nil {
		return
	}
	r.zone(path+".timezone", h.Timezone, true)
	if r.need(path, "days") && len(h.Days) == 0 {
		r.wrongAt(path+".days", "Name at least one day.")
	}
	r.need(path, "from")
	r.need(path, "to")
}

// fault reports what another package says of a value.
func (r *reader) fault(path string, err error) {
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
	r.wrongAt(path, "%s", message)
}

// person puts a reference to a person into the form in which people are kept.
func person(email *string) { *email = strings.ToLower(strings.TrimSpace(*email)) }

func people(emails []string) {
	for i := range emails {
		person(&emails[i])
	}
}
