package notify

import (
	"cmp"
	"slices"
	"time"
)

// ContactMethod is one way to reach a person.
type ContactMethod struct {
	ID      int64 `gorm:"primaryKey"`
	UserID  int64
	Slug    string // unique per person: "sms", "mail"
	Medium  Medium
	Address string
	// VerifiedAt is nil until its owner has verified it; it is not used before.
	VerifiedAt *time.Time
	// DisabledAt is set when its owner switched it off, such as by STOP.
	DisabledAt *time.Time
	// ReplacesID is the method that stays in use until this one is verified.
	ReplacesID *int64
	// CodeHash, CodeExpiresAt and CodeTries are of the latest verification code.
	CodeHash      []byte
	CodeExpiresAt *time.Time
	CodeTries     int
	CreatedAt     time.Time
	// FromFile is true until the owner of a method from a configuration file verifies
	// or
	// replaces it. Until then the file may correct it.
	FromFile bool
	// StoppedAddress is the address that was disabled before a file corrected it, so
	// that it stays disabled when the file restores it.
	StoppedAddress string
}

// Usable reports whether pages may be sent to it.
func (c ContactMethod) Usable() bool { return c.VerifiedAt != nil && c.DisabledAt == nil }

// Rule is a personal rule: for pages of an urgency, use a contact method AfterSeconds
// after the page was made.
type Rule struct {
	ID              int64 `gorm:"primaryKey"`
	UserID          int64
	Urgency         string // "high", "low"
	AfterSeconds    int64
	ContactMethodID int64
}

// TableName implements gorm's Tabler.
func (Rule) TableName() string { return "notification_rules" }

// RepeatEvery is the interval at which the last personal rule is repeated during the
// step.
const RepeatEvery = 10 * time.Minute

// Recipient is a person who can be paged.
type Recipient struct {
	UserID  int64
	Name    string
	Email   string
	Zone    string
	Methods []ContactMethod // in the order in which they were made
	Rules   []Rule
}

// Working are the person's methods that can be used: verified, not disabled, and with a
// configured channel.
func (r Recipient) Working(works func(Medium) bool) []ContactMethod {
	var usable []ContactMethod
	for _, m := range r.Methods {
		if m.Usable() && works(m.Medium) {
			usable = append(usable, m)
		}
	}
	return usable
}

// Notification is one contact method to be used at one time.
type Notification struct {
	After  time.Duration // since the page began
	Method ContactMethod
}

// Notification returns the i-th notification of a page, counted from 0, and false where
// there is none. Personal rules are ordered by their delay; without any that work,
// every
// method is used at once. The methods of the last delay are repeated every RepeatEvery
// without limit, until the step ends.
func (r Recipient) Notification(i int, urgency string, works func(Medium) bool) (Notification, bool) {
	plan := r.plan(urgency, works)
	if len(plan) == 0 {
		return Notification{}, false
	}
	if i < len(plan) {
		return plan[i], true
	}
	last := plan[len(plan)-1].After
	first := slices.IndexFunc(plan, func(n Notification) bool { return n.After == last })
	again := plan[first:]
	round, k := (i-len(plan))/len(again)+1, (i-len(plan))%len(again)
	return Notification{After: last + time.Duration(round)*RepeatEvery, Method: again[k].Method}, true
}

// Late are the notifications by personal rules that never fire, since they are due no
// sooner than a step ends.
func (r Recipient) Late(urgency string, ends time.Duration, works func(Medium) bool) []Notification {
	return slices.DeleteFunc(r.plan(urgency, works), func(n Notification) bool { return n.After < ends })
}

// plan is the person's rules in the order of their delay. Where the method of a rule
// does not work, the rule uses the next one that is not in the plan yet: one without a
// rule, or else the one whose rule comes next, which is then not used again.
func (r Recipient) plan(urgency string, works func(Medium) bool) []Notification {
	working := r.Working(works)
	var plan []Notification
	rules := slices.DeleteFunc(slices.Clone(r.Rules), func(rule Rule) bool { return rule.Urgency != urgency })
	slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.AfterSeconds, b.AfterSeconds) })
	replacing := map[int64]bool{} // methods that are used instead of another
	for i, rule := range rules {
		method, ok := methodOf(working, rule)
		switch {
		case ok && replacing[method.ID]:
			continue
		case !ok:
			if method, ok = replacement(working, plan, rules, rules[i+1:]); !ok {
				continue
			}
			replacing[method.ID] = true
		}
		plan = append(plan, Notification{After: time.Duration(rule.AfterSeconds) * time.Second, Method: method})
	}
	if len(plan) == 0 {
		for _, m := range working {
			plan = append(plan, Notification{Method: m})
		}
	}
	return plan
}

// replacement is the method to use in place of one that does not work.
func replacement(working []ContactMethod, plan []Notification, rules, later []Rule) (ContactMethod, bool) {
	unused := slices.DeleteFunc(slices.Clone(working), func(m ContactMethod) bool {
		return slices.ContainsFunc(plan, func(n Notification) bool { return n.Method.ID == m.ID })
	})
	for _, m := range unused {
		if !slices.ContainsFunc(rules, func(rule Rule) bool { return rule.ContactMethodID == m.ID }) {
			return m, true
		}
	}
	for _, rule := range later {
		if m, ok := methodOf(unused, rule); ok {
			return m, true
		}
	}
	return ContactMethod{}, false
}

// methodOf is the method of a rule, and false where it is not among those given.
func methodOf(methods []ContactMethod, rule Rule) (ContactMethod, bool) {
	i := slices.IndexFunc(methods, func(m ContactMethod) bool { return m.ID == rule.ContactMethodID })
	if i < 0 {
		return ContactMethod{}, false
	}
	return methods[i], true
}

// FallOver is the method to use after others have failed permanently: the next in the
// person's order that was not tried, or false.
func (r Recipient) FallOver(tried []int64, works func(Medium) bool) (ContactMethod, bool) {
	for _, m := range r.Working(works) {
		if !slices.Contains(tried, m.ID) {
			return m, true
		}
	}
	return ContactMethod{}, false
}
