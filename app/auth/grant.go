package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// SetupLink makes a link that creates the first administrator and returns its token, or
// an empty string where there is an administrator. Earlier links stay valid until they
// expire.
func (s *Service) SetupLink(ctx context.Context) (token string, err error) {
	has, err := s.store.HasAdministrator(ctx)
	if err != nil || has {
		return "", err
	}
	token, l := newLink(ForSetup, nil, s.now(), SetupLinkLifetime)
	return token, s.store.CreateLink(ctx, Tocsin, l)
}

// Vacancy says who cannot sign in yet, so that the sign-in page can say what to do.
type Vacancy struct {
	// NoAdministrator says that none is active: the server prints a setup link when it
	// starts.
	NoAdministrator bool
	// Nobody says that nobody else has a password either.
	Nobody bool
}

// Vacancy asks for one count, and for the people only where it is 0.
func (s *Service) Vacancy(ctx context.Context) (Vacancy, error) {
	has, err := s.store.HasAdministrator(ctx)
	if err != nil || has {
		return Vacancy{}, err
	}
	users, err := s.store.Users(ctx)
	return Vacancy{NoAdministrator: true, Nobody: !slices.ContainsFunc(users, func(u User) bool { return u.Active && u.PasswordHash != "" })}, err
}

// PasswordLink makes a link by which a person sets a password: an invitation, or a
// reset.
// It is not sent; its author gives it to the person.
func (s *Service) PasswordLink(ctx context.Context, by Actor, userID int64) (token string, expires time.Time, err error) {
	if err := Allow(by, ManagePeople, Object{}); err != nil {
		return "", time.Time{}, err
	}
	u, err := s.store.User(ctx, userID)
	if err != nil {
		return "", time.Time{}, err
	}
	if !u.Active {
		return "", time.Time{}, fault.Conflict("%s has been deactivated. Take them back first.", u.Name)
	}
	token, l := newLink(ForPassword, &u.ID, s.now(), PasswordLinkLifetime)
	return token, l.ExpiresAt, s.store.CreateLink(ctx, by, l)
}

// OpenLink returns the purpose of a link, without using it, and the person of a
// password
// link (nil for a setup link). Faults: NotFound for an unknown link, Gone for one that
// was used or has expired.
func (s *Service) OpenLink(ctx context.Context, token string) (Purpose, *User, error) {
	l, err := s.store.LinkByHash(ctx, hashToken(token))
	if err != nil {
		return "", nil, err
	}
	if err := l.Usable(s.now()); err != nil {
		return "", nil, err
	}
	if l.Purpose == ForPassword && l.UserID != nil {
		u, err := s.store.User(ctx, *l.UserID)
		return l.Purpose, u, err
	}
	has, err := s.store.HasAdministrator(ctx)
	if err == nil && has {
		err = ErrHasAdministrator
	}
	return l.Purpose, nil, err
}

// SetUp uses a setup link: it creates the first administrator, with a
// password, names the organisation, whose time zone is the administrator's, and
// signs them in, in one transaction. The role of the profile is ignored.
func (s *Service) SetUp(ctx context.Context, token string, p Profile, password, organization string) (*User, error) {
	p.Role = Administrator
	p, err := p.Check()
	wrong := append(fields(err), fields(CheckPassword(password))...)
	if len(wrong) > 0 {
		return nil, fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	if _, _, err := s.OpenLink(ctx, token); err != nil {
		return nil, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	now := s.now()
	u := &User{Email: p.Email, Name: p.Name, Role: p.Role, Timezone: p.Timezone, PasswordHash: hash, Active: true, CreatedAt: now}
	if err := s.store.UseSetupLink(ctx, hashToken(token), u, organization, now); err != nil {
		return nil, err
	}
	return u, s.sessions.begin(ctx, u)
}

// SetPassword uses a password link: it sets the password of the link's person,
// ends their other sessions and signs them in.
func (s *Service) SetPassword(ctx context.Context, token, password string) (*User, error) {
	if err := CheckPassword(password); err != nil {
		return nil, err
	}
	if _, _, err := s.OpenLink(ctx, token); err != nil {
		return nil, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	u, err := s.store.UsePasswordLink(ctx, hashToken(token), hash, s.now())
	if err != nil {
		return nil, err
	}
	s.failedByEmail.clear(u.Email)
	s.failedByVisitor.clearPrefix(u.Email + " ")
	return u, s.sessions.begin(ctx, u)
}

// CreateToken makes an API token and returns its secret, which cannot be shown again.
func (s *Service) CreateToken(ctx context.Context, by Actor, name string, scope Role) (secret string, t *Token, err error) {
	if err := Allow(by, ManageTokens, Object{}); err != nil {
		return "", nil, err
	}
	name, err = checkName(name)
	wrong := fields(err)
	_, err = ParseScope(string(scope))
	if wrong = append(wrong, fields(err)...); len(wrong) > 0 {
		return "", nil, fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	secret = newTokenSecret()
	t = &Token{Name: name, Scope: scope, Hash: hashToken(secret), CreatedBy: by.String(), CreatedAt: s.now()}
	return secret, t, s.store.CreateToken(ctx, by, t)
}

// Tokens are all API tokens, the revoked too, newest first.
func (s *Service) Tokens(ctx context.Context, by Actor) ([]Token, error) {
	if err := Allow(by, ManageTokens, Object{}); err != nil {
		return nil, err
	}
	return s.store.Tokens(ctx)
}

// RevokeToken revokes an API token permanently. Its name cannot be used again, since
// records refer to it.
func (s *Service) RevokeToken(ctx context.Context, by Actor, id int64) error {
	if err := Allow(by, ManageTokens, Object{}); err != nil {
		return err
	}
	return s.store.RevokeToken(ctx, by, id, s.now())
}

// ByToken is the actor of an API token. A valid token is never limited by failed
// attempts
// from its address.
func (s *Service) ByToken(ctx context.Context, secret, remote string) (Actor, error) {
	now := s.now()
	t, err := s.token(ctx, strings.TrimSpace(secret))
	switch {
	case err != nil:
		return Actor{}, err
	case t == nil:
		if wait := s.failedTokens.take(remoteKey(remote), now); wait > 0 {
			return Actor{}, limited(wait)
		}
		return Actor{}, fault.Unauthorized("This API token is unknown or has been revoked.")
	}
	if since := now.Add(-tokenTouch); t.LastUsedAt == nil || !t.LastUsedAt.After(since) {
		if err := s.store.TouchToken(ctx, t.ID, now, since); err != nil {
			return Actor{}, err
		}
	}
	return t.Actor(), nil
}

// token is the valid token of a secret, or nil.
func (s *Service) token(ctx context.Context, secret string) (*Token, error) {
	if !looksLikeToken(secret) {
		return nil, nil
	}
	t, err := s.store.TokenByHash(ctx, hashToken(secret))
	if fault.Is(err, fault.KindNotFound) {
		return nil, nil
	}
	if err != nil || t.RevokedAt != nil {
		return nil, err
	}
	return t, nil
}
