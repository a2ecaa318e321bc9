package organization

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

// pageable checks that nobody whom a schedule or a policy names for pages is a
// stakeholder.
type pageable struct {
	d    *draft
	of   thing
	kind Kind
	key  string
}

func (d *draft) pageable(t thing, kind Kind, key string) pageable { return pageable{d, t, kind, key} }

func (u User) isStakeholder() bool { return u.Role == string(auth.Stakeholder) }

// check refuses a person where an edit of the thing names them. One who becomes a
// stakeholder, or was named as one before, is only noted: a role can be taken away at
// once, and other edits are not refused.
func (p pageable) check(path, email string) {
	i, exists := p.d.known[KindUser].at[email]
	if !exists || !p.d.desired.Users[i].isStakeholder() || !p.of.touched && !p.d.thing(KindUser, email).touched {
		return
	}
	const words = "is a stakeholder, and pages are for responders, managers and administrators."
	if p.of.touched && !p.before(email) {
		p.d.problem(p.of, path, "%s %s", email, words)
		return
	}
	if note := fmt.Sprintf("%s: %s %s", p.of.words, email, words); !slices.Contains(p.d.plan.Notes, note) {
		p.d.plan.Notes = append(p.d.plan.Notes, note)
	}
}

// each checks all people who are referred to, other than those whom an override takes
// off.
func (p pageable) each(path string, kind Kind, name string) {
	if kind == KindUser && !strings.HasSuffix("."+path, ".replace") && !strings.HasSuffix("."+path, ".remove") {
		p.check(path, name)
	}
}

// before reports whether a person is a stakeholder now whom the thing names.
func (p pageable) before(email string) bool {
	named := false
	refer := func(_ string, kind Kind, name string) { named = named || kind == KindUser && name == email }
	for _, v := range p.d.current.EscalationPolicies {
		if p.kind == KindPolicy && v.Slug == p.key {
			v.references(refer)
		}
	}
	for _, v := range p.d.current.Schedules {
		if p.kind == KindSchedule && v.Slug == p.key {
			v.references(refer)
		}
	}
	return named && slices.ContainsFunc(p.d.current.Users, func(u User) bool { return u.Email == email && u.isStakeholder() })
}
