package notify

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

const (
	// CodeLasts is how long a verification code can be used.
	CodeLasts = 10 * time.Minute
	// CodeTries is how many wrong answers one code takes.
	CodeTries = 5
	// CodesAnHour bounds the codes that are sent for one person, which cost
	// money and may reach a stranger.
	CodesAnHour = 6
	// MaxContacts is how many contact methods a person may have.
	MaxContacts = 20
	// CodeAgain is how long to wait before the next code to the same method.
	CodeAgain = 30 * time.Second
)

// ContactStore stores contact methods and personal rules. It writes each change to the
// audit log in the same transaction, with by as the actor. Methods of other people are
// not found.
type ContactStore interface {
	ContactMethods(ctx context.Context, userID int64) ([]ContactMethod, error)
	// AddContact sets the method's ID. A slug that the person already has is a
	// conflict; ReplacesID, if set, is one of the person's.
	AddContact(ctx context.Context, by string, m *ContactMethod) error
	RemoveContact(ctx context.Context, by string, userID, methodID int64) error
	// SendCode stores the code's hash and queues the message with the code. Fault:
	// Limited by the limits above.
	SendCode(ctx context.Context, by string, userID, methodID int64, code string, hash []byte) error
	// Verify compares hash with that of the latest code. On success the method replaces
	// that of ReplacesID, whose rules and slug it takes, and a notice is sent to the
	// person's other methods.
	Verify(ctx context.Context, by string, userID, methodID int64, hash []byte) error
	Rules(ctx context.Context, userID int64) ([]Rule, error)
	// SetRules replaces every rule of the person.
	SetRules(ctx context.Context, by string, userID int64, rules []Rule) error
}

// Contacts manages people's contact methods and personal rules.
type Contacts struct {
	Store ContactStore
	Now   func() time.Time
}

// NewContact is the input for a contact method.
type NewContact struct {
	Medium  Medium
	Address string
	// Replaces is the method that stays in use until the new one is verified,
	// or 0.
	Replaces int64
}

// Add stores a contact method of a person and sends a code to it.
func (c *Contacts) Add(ctx context.Context, by string, userID int64, n NewContact) (ContactMethod, error) {
	address, err := NormalizeAddress(n.Medium, n.Address)
	if err != nil {
		return ContactMethod{}, err
	}
	methods, err := c.Store.ContactMethods(ctx, userID)
	if err != nil {
		return ContactMethod{}, err
	}
	m := ContactMethod{UserID: userID, Slug: freeSlug(n.Medium, methods), Medium: n.Medium, Address: address, CreatedAt: c.Now()}
	if n.Replaces != 0 {
		m.ReplacesID = &n.Replaces
	}
	for _, other := range methods {
		if other.Medium == m.Medium && other.Address == m.Address {
			return ContactMethod{}, fault.Conflict("%s is there already.", address).
				With(fault.Field{Path: "address", Message: "This is there already."})
		}
	}
	if len(methods) >= MaxContacts {
		message := fmt.Sprintf("A person has at most %d contacts. Remove one first.", MaxContacts)
		return ContactMethod{}, fault.Conflict("%s", message).With(fault.Field{Path: "address", Message: message})
	}
	if err := c.Store.AddContact(ctx, by, &m); err != nil {
		return ContactMethod{}, err
	}
	return m, c.SendCode(ctx, by, userID, m.ID)
}

// freeSlug is "sms", or "sms-2" where that is taken.
func freeSlug(medium Medium, methods []ContactMethod) string {
	name := map[Medium]string{SMS: "sms", Voice: "call", Email: "mail", Slack: "slack"}[medium]
	slug := name
	for i := 2; slices.ContainsFunc(methods, func(m ContactMethod) bool { return m.Slug == slug }); i++ {
		slug = fmt.Sprintf("%s-%d", name, i)
	}
	return slug
}

// SendCode sends a new code to a contact method; an earlier one is void.
func (c *Contacts) SendCode(ctx context.Context, by string, userID, methodID int64) error {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return fault.Internal(err)
	}
	code := fmt.Sprintf("%06d", n.Int64())
	return c.Store.SendCode(ctx, by, userID, methodID, code, codeHash(methodID, code))
}

// Verify verifies a contact method by the code that was sent to it. Spaces and hyphens
// in it are ignored. Faults: Invalid for a wrong code, Gone for an expired one, Limited
// after CodeTries wrong ones.
func (c *Contacts) Verify(ctx context.Context, by string, userID, methodID int64, code string) error {
	code = strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return fault.Invalid("The code has six digits.").With(fault.Field{Path: "code", Message: "The code has six digits."})
	}
	return c.Store.Verify(ctx, by, userID, methodID, codeHash(methodID, code))
}

// codeHash includes the method, so that the code of one method does not verify another.
func codeHash(methodID int64, code string) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "tocsin verification %d %s", methodID, code))
	return sum[:]
}

// Remove deletes a contact method with its rules.
func (c *Contacts) Remove(ctx context.Context, by string, userID, methodID int64) error {
	return c.Store.RemoveContact(ctx, by, userID, methodID)
}

// maxAfter bounds the delay of a personal rule.
const maxAfter = 24 * time.Hour

// SetRules replaces a person's rules.
func (c *Contacts) SetRules(ctx context.Context, by string, userID int64, rules []Rule) error {
	methods, err := c.Store.ContactMethods(ctx, userID)
	if err != nil {
		return err
	}
	var wrong []fault.Field
	for i, r := range rules {
		add := func(key, message string) {
			wrong = append(wrong, fault.Field{Path: fmt.Sprintf("rules[%d].%s", i, key), Message: message})
		}
		if r.Urgency != "high" && r.Urgency != "low" {
			add("urgency", "An urgency is high or low.")
		}
		if r.AfterSeconds < 0 || r.AfterSeconds > int64(maxAfter/time.Second) {
			add("after", "A rule waits from 0 seconds to a day.")
		}
		if !slices.ContainsFunc(methods, func(m ContactMethod) bool { return m.ID == r.ContactMethodID }) {
			add("contact", "Choose one of your contact methods.")
		}
	}
	if wrong != nil {
		return fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	return c.Store.SetRules(ctx, by, userID, rules)
}
