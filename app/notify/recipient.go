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
	// VerifiedAt is nil until its owner has proved it; it is not used before.
	VerifiedAt *time.Time
	// DisabledAt is set when its owner switched it off, such as by STOP.
	DisabledAt *time.Time
	// ReplacesID is the method that stays in use until this one is verified.
	ReplacesID *int64
	// CodeHash, CodeExpiresAt and CodeTries are of the verification code that
	// was sent last.
	CodeHash      []byte
	CodeExpiresAt *time.Time
	CodeTries     int
	CreatedAt     time.Time
	// FromFile is true while it is as a file made it: its owner has neither
	// verified nor replaced it, so that the file may correct it.
	FromFile bool
	// StoppedAddress is the address that was switched off here before a file
	// corrected it, so that it comes back switched off.
	StoppedAddress string
}

// Usable reports whether pages may go there.
func (c ContactMethod) Usable() bool { return c.VerifiedAt != nil && c.DisabledAt == nil }

// Rule is a personal rule: for pages of an urgency, use a contact method so
// many seconds after the page began.
type Rule struct {
	ID              int64 `gorm:"primaryKey"`
	UserID          int64
	Urgency         string // "high", "low"
	AfterSeconds    int64
	ContactMethodID int64
}

// TableName is what the schema calls it.
func (Rule) TableName() string { return "notification_rules" }

// RepeatEvery is how often the last personal rule is carried out again while
// the step lasts.
const RepeatEvery = 10 * time.Minute

// Recipient is a person as pages see one.
type Recipient struct {
	UserID  int64
	Name    string
	Email   string
	Zone    string
	Methods []ContactMethod // in the order in which they were made
	Rules   []Rule
}

// Working are the person's methods that pages may go to: verified, not
// switched off, and carried by a channel that works.
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

// Notification returns the i-th notification of a page, counted from 0, and
// false where there is none. Personal rules come in the order of their time;
// without any that work, every method is used at once. The last moment's
// methods are repeated every RepeatEvery without end: the step's end ends them.
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

// plan is the person's rules in the order of their time. A method that does not
// work counts as failed for good: its rule takes the next one that the plan
// does not use yet.
func (r Recipient) plan(urgency string, works func(Medium) bool) []Notification {
	working := r.Working(works)
	var plan []Notification
	var used []int64
	rules := slices.DeleteFunc(slices.Clone(r.Rules), func(rule Rule) bool { return rule.Urgency != urgency })
	slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.AfterSeconds, b.AfterSeconds) })
	for _, rule := range rules {
		used = append(used, rule.ContactMethodID)
	}
	for _, rule := range rules {
		i := slices.IndexFunc(working, func(m ContactMethod) bool { return m.ID == rule.ContactMethodID })
		if i < 0 {
			i = slices.IndexFunc(working, func(m ContactMethod) bool { return !slices.Contains(used, m.ID) })
		}
		if i >= 0 {
			used = append(used, working[i].ID)
			plan = append(plan, Notification{After: time.Duration(rule.AfterSeconds) * time.Second, Method: working[i]})
		}
	}
	if len(plan) == 0 {
		for _, m := range working {
			plan = append(plan, Notification{Method: m})
		}
	}
	return plan
}

// FallOver is the method to use after others have failed for good: the next in
// the person's order that was not tried, or false.
func (r Recipient) FallOver(tried []int64, works func(Medium) bool) (ContactMethod, bool) {
	for _, m := range r.Working(works) {
		if !slices.Contains(tried, m.ID) {
			return m, true
		}
	}
	return ContactMethod{}, false
}
