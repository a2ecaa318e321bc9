package auth

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Store stores accounts. A change with an actor is written to the audit log in the same
// transaction. Faults: NotFound for an object that does not exist, Conflict for a
// name or
// address that is taken.
type Store interface {
	People
	Links
	Invitations
	Tokens
	// AuditLog is a page of entries, newest first.
	AuditLog(ctx context.Context, q AuditQuery) ([]Entry, error)
}

// People is the part of Store that keeps people.
type People interface {
	// CreateUser sets the user's ID.
	CreateUser(ctx context.Context, by Actor, u *User) error
	// Users are all, the inactive too, by name.
	Users(ctx context.Context) ([]User, error)
	User(ctx context.Context, id int64) (*User, error)
	UserByEmail(ctx context.Context, email string) (*User, error)
	// SetPassword ends the person's sessions and unused links, and returns the
	// person as they are then.
	SetPassword(ctx context.Context, by Actor, id int64, hash string) (*User, error)
	// SetHidePhone says whether a person's telephone numbers are kept from
	// colleagues. It does nothing where that is so already.
	SetHidePhone(ctx context.Context, by Actor, id int64, hide bool) error
	// Rehash replaces a hash by one of the same password at another cost; it
	// does nothing where the password has changed meanwhile.
	Rehash(ctx context.Context, id int64, old, hash string) error
	// HasAdministrator reports whether anybody active is one.
	HasAdministrator(ctx context.Context) (bool, error)
}

// PeopleEditor changes people as a part of the configuration: with a new version
// of it, and an entry in the audit log. Where a person already is as asked for,
// neither is written. An address that nobody has is a fault of kind not found.
type PeopleEditor interface {
	SetProfile(ctx context.Context, by Actor, email, name, timezone string) error
	// SetRole and SetActive return a conflict rather than leave no active
	// administrator, whoever else tries at the same time. Deactivation ends the
	// person's sessions.
	SetRole(ctx context.Context, by Actor, email string, role Role) error
	SetActive(ctx context.Context, by Actor, email string, active bool) error
	// PlanActive changes nothing. It returns what names a person whom SetActive would
	// deactivate, and who covers.
	PlanActive(ctx context.Context, email string, active bool) (notes []string, err error)
	// SetNameAndRole changes both in one change, or neither. The time zone stays
	// as it is.
	SetNameAndRole(ctx context.Context, by Actor, email, name string, role Role) error
}

// Links is the part of Store that keeps one-time links.
type Links interface {
	// CreateLink sets the link's ID.
	CreateLink(ctx context.Context, by Actor, l *OneTimeLink) error
	LinkByHash(ctx context.Context, hash []byte) (*OneTimeLink, error)
	// UseSetupLink uses the link and creates the first administrator, or makes the
	// person with that address one, and sets the organisation's name and time zone, the
	// latter to the person's. Of concurrent calls one succeeds; the others fail with
	// Gone.
	UseSetupLink(ctx context.Context, hash []byte, u *User, organization string, now time.Time) error
	// UsePasswordLink uses the link and sets its person's password, as
	// SetPassword does.
	UsePasswordLink(ctx context.Context, hash []byte, passwordHash string, now time.Time) (*User, error)
}

// Tokens is the part of Store that keeps API tokens.
type Tokens interface {
	// CreateToken sets the token's ID.
	CreateToken(ctx context.Context, by Actor, t *Token) error
	// Tokens are all, the revoked too, newest first.
	Tokens(ctx context.Context) ([]Token, error)
	TokenByHash(ctx context.Context, hash []byte) (*Token, error)
	// TouchToken records a use, unless one was recorded after since.
	TouchToken(ctx context.Context, id int64, now, since time.Time) error
	RevokeToken(ctx context.Context, by Actor, id int64, now time.Time) error
}

// Options are the options of a Service.
type Options struct {
	// Now is the clock that limits and expiries go by.
	Now func() time.Time
	// Cost of password hashes; zero takes DefaultCost.
	Cost Cost
	// Devices signs the tokens of devices; nil knows none.
	Devices *Keyring
	// Pause waits before an attempt that is slowed down; nil waits for real.
	Pause func(ctx context.Context, wait time.Duration) error
}

// Service manages people and their access, and checks the permissions of the actor.
type Service struct {
	store    Store
	editor   PeopleEditor
	sessions *Sessions
	now      func() time.Time
	hasher   *hasher
	devices  *Keyring

	pause func(ctx context.Context, wait time.Duration) error

	failedByDevice  *limiter
	failedByVisitor *limiter
	failedByOrigin  *limiter
	failedByRemote  *limiter // slows
	failedByNetwork *limiter // slows
	failedByEmail   *limiter // slows
	failedTokens    *limiter
	attempts        attemptQueue
}

// NewService makes the service. Sessions may be nil for a command, which has
// no browser to keep signed in.
func NewService(store Store, editor PeopleEditor, sessions *Sessions, o Options) *Service {
	if o.Cost == (Cost{}) {
		o.Cost = DefaultCost
	}
	if o.Pause == nil {
		o.Pause = pause
	}
	return &Service{
		store:           store,
		editor:          editor,
		sessions:        sessions,
		now:             func() time.Time { return o.Now().UTC().Truncate(time.Microsecond) },
		hasher:          newHasher(o.Cost),
		devices:         o.Devices,
		pause:           o.Pause,
		failedByDevice:  newLimiter(failuresByVisitor, failureWindow),
		failedByVisitor: newLimiter(failuresByVisitor, failureWindow),
		failedByOrigin:  newLimiter(failuresByOrigin, failureWindow),
		failedByRemote:  newLimiter(failuresByRemote, failureWindow),
		failedByNetwork: newLimiter(failuresByNetwork, failureWindow),
		failedByEmail:   newLimiter(failuresByEmail, failureWindow),
		failedTokens:    newLimiter(failuresByRemote, failureWindow),
	}
}

// CreateUser adds a person, who sets a password by a link: see PasswordLink.
func (s *Service) CreateUser(ctx context.Context, by Actor, p Profile) (*User, error) {
	if err := Allow(by, ManagePeople, Object{}); err != nil {
		return nil, err
	}
	p, err := p.Check()
	if err != nil {
		return nil, err
	}
	u := &User{Email: p.Email, Name: p.Name, Role: p.Role, Timezone: p.Timezone, Active: true, CreatedAt: s.now()}
	if err := s.store.CreateUser(ctx, by, u); err != nil {
		return nil, err
	}
	return u, nil
}

// Users are all people, the inactive too, by name.
func (s *Service) Users(ctx context.Context, by Actor) ([]User, error) {
	if err := Allow(by, ViewPeople, Object{}); err != nil {
		return nil, err
	}
	return s.store.Users(ctx)
}

// User is one person.
func (s *Service) User(ctx context.Context, by Actor, id int64) (*User, error) {
	if !is(by, id) {
		if err := Allow(by, ViewPeople, Object{}); err != nil {
			return nil, err
		}
	}
	return s.store.User(ctx, id)
}

// UserByEmail is the person of an address, written in any case.
func (s *Service) UserByEmail(ctx context.Context, by Actor, email string) (*User, error) {
	if err := Allow(by, ViewPeople, Object{}); err != nil {
		return nil, err
	}
	normal, err := NormalizeEmail(email)
	if err != nil {
		return nil, err
	}
	return s.store.UserByEmail(ctx, normal)
}

// SetProfile changes a person's name and time zone.
func (s *Service) SetProfile(ctx context.Context, by Actor, id int64, name, timezone string) error {
	if err := Allow(by, ManageAccount, Object{UserID: id}); err != nil {
		return err
	}
	name, err := checkName(name)
	if wrong := append(fields(err), fields(checkTimezone(timezone))...); len(wrong) > 0 {
		return fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	u, err := s.store.User(ctx, id)
	if err != nil {
		return err
	}
	return s.editor.SetProfile(ctx, by, u.Email, name, timezone)
}

// SetHidePhone says whether a person's telephone numbers are kept from colleagues.
func (s *Service) SetHidePhone(ctx context.Context, by Actor, id int64, hide bool) error {
	if err := Allow(by, ManageAccount, Object{UserID: id}); err != nil {
		return err
	}
	return s.store.SetHidePhone(ctx, by, id, hide)
}

// SetRole changes a person's role. The last active administrator stays one.
func (s *Service) SetRole(ctx context.Context, by Actor, id int64, role Role) error {
	if err := Allow(by, ManagePeople, Object{}); err != nil {
		return err
	}
	role, err := ParseRole(string(role))
	if err != nil {
		return err
	}
	u, err := s.store.User(ctx, id)
	if err != nil {
		return err
	}
	return s.editor.SetRole(ctx, by, u.Email, role)
}

// SetNameAndRole changes a person's name and role, both or neither. The last active
// administrator stays one.
func (s *Service) SetNameAndRole(ctx context.Context, by Actor, id int64, name string, role Role) error {
	if err := Allow(by, ManagePeople, Object{}); err != nil {
		return err
	}
	name, err := checkName(name)
	wrong := fields(err)
	role, err = ParseRole(string(role))
	if wrong = append(wrong, fields(err)...); len(wrong) > 0 {
		return fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	u, err := s.store.User(ctx, id)
	if err != nil {
		return err
	}
	return s.editor.SetNameAndRole(ctx, by, u.Email, name, role)
}

// SetActive deactivates a person, who can then neither sign in nor be paged,
// or takes them back. The last active administrator stays.
func (s *Service) SetActive(ctx context.Context, by Actor, id int64, active bool) error {
	u, err := s.managed(ctx, by, id)
	if err != nil {
		return err
	}
	return s.editor.SetActive(ctx, by, u.Email, active)
}

// PlanActive changes nothing. It returns what names a person whom SetActive would
// deactivate, and who covers.
func (s *Service) PlanActive(ctx context.Context, by Actor, id int64, active bool) (notes []string, err error) {
	u, err := s.managed(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return s.editor.PlanActive(ctx, u.Email, active)
}

// managed is a person whom the actor may manage.
func (s *Service) managed(ctx context.Context, by Actor, id int64) (*User, error) {
	if err := Allow(by, ManagePeople, Object{}); err != nil {
		return nil, err
	}
	return s.store.User(ctx, id)
}

// AuditLog is a page of the audit log.
func (s *Service) AuditLog(ctx context.Context, by Actor, q AuditQuery) ([]Entry, error) {
	if err := Allow(by, ViewAudit, Object{}); err != nil {
		return nil, err
	}
	if q.Limit < 1 || q.Limit > 200 {
		q.Limit = 50
	}
	return s.store.AuditLog(ctx, q)
}
