package auth

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// SignIn checks a password and signs the person in, in the session of ctx.
// Remote is the address that the request came from. The faults: invalid for
// what is no address at all; unauthorized, the same for an address that nobody
// has and in the same time; forbidden for a person who was deactivated and knows
// the password; limited, with a *Wait as its cause.
func (s *Service) SignIn(ctx context.Context, email, password, remote string) (*User, error) {
	u, err := s.verify(ctx, email, password, remote)
	if err != nil {
		return nil, err
	}
	if s.hasher.stale(u.PasswordHash) {
		hash, err := s.hasher.hash(ctx, password)
		if err != nil {
			return nil, err
		}
		if err := s.store.Rehash(ctx, u.ID, u.PasswordHash, hash); err != nil {
			return nil, err
		}
	}
	return u, s.sessions.begin(ctx, u)
}

// SignOut ends the session of ctx.
func (s *Service) SignOut(ctx context.Context) error { return s.sessions.Destroy(ctx) }

// SignedIn is the person whom the session of ctx belongs to, as they are now;
// a fault of kind unauthorized where there is none, or it was ended.
func (s *Service) SignedIn(ctx context.Context) (*User, error) {
	nobody := fault.Unauthorized("Sign in first.")
	id, epoch, ok := s.sessions.current(ctx)
	if !ok {
		return nil, nobody
	}
	u, err := s.store.User(ctx, id)
	switch {
	case fault.Is(err, fault.KindNotFound):
		return nil, nobody
	case err != nil:
		return nil, err
	case !u.Active || u.SessionEpoch != epoch:
		return nil, nobody
	}
	return u, nil
}

// ChangePassword sets a new password for a person who knows the present one.
// It ends all of their sessions but the one of ctx.
func (s *Service) ChangePassword(ctx context.Context, by Actor, present, next, remote string) error {
	if by.Kind != Person {
		return fault.Forbidden("Only a person has a password.")
	}
	if err := CheckPassword(next); err != nil {
		return err
	}
	if _, err := s.verify(ctx, by.Email, present, remote); err != nil {
		if fault.Is(err, fault.KindUnauthorized) {
			return fieldFault("present", "This is not your present password.")
		}
		return err
	}
	hash, err := s.hasher.hash(ctx, next)
	if err != nil {
		return err
	}
	u, err := s.store.SetPassword(ctx, by, by.UserID, hash)
	if err != nil {
		return err
	}
	return s.sessions.begin(ctx, u)
}

// verify finds an active person by address and password, within the limits:
// whoever guesses is refused by where they are, so that nobody elsewhere is kept
// out by it; an account that is guessed at from many places answers slowly.
func (s *Service) verify(ctx context.Context, email, password, remote string) (*User, error) {
	address, err := NormalizeEmail(email)
	if err != nil {
		return nil, err
	}
	from, visitor, now := remoteKey(remote), visitorKey(address, remote), s.now()
	if wait := s.failedByRemote.take(from, now); wait > 0 {
		return nil, limited(wait)
	}
	if wait := s.failedByVisitor.take(visitor, now); wait > 0 {
		s.failedByRemote.giveBack(from)
		return nil, limited(wait)
	}
	slowed := s.failedByEmail.take(address, now) > 0
	if slowed {
		// Whoever leaves during it has guessed all the same.
		if err := s.pause(ctx, slowBy); err != nil {
			return nil, err
		}
	}
	u, right, err := s.compare(ctx, address, password)
	switch {
	case err != nil: // says nothing about the password
		s.failedByRemote.giveBack(from)
		s.failedByVisitor.giveBack(visitor)
		if !slowed { // else it was not counted
			s.failedByEmail.giveBack(address)
		}
		return nil, err
	case !right:
		return nil, fault.Unauthorized("The email address or the password is wrong.")
	}
	s.failedByRemote.giveBack(from)
	s.failedByVisitor.clear(visitor)
	s.failedByEmail.clear(address)
	if !u.Active {
		return nil, fault.Forbidden("This account has been deactivated. An administrator can take you back.")
	}
	return u, nil
}

func (s *Service) compare(ctx context.Context, address, password string) (*User, bool, error) {
	u, err := s.store.UserByEmail(ctx, address)
	if fault.Is(err, fault.KindNotFound) {
		u = &User{}
	} else if err != nil {
		return nil, false, err
	}
	right, err := s.hasher.matches(ctx, u.PasswordHash, password)
	return u, right, err
}
