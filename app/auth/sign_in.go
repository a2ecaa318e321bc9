package auth

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// SignIn checks a password and signs the person in, in the session of ctx.
// The faults: invalid for
// what is no address at all; unauthorized, the same for an address that nobody
// has and in the same time; forbidden for a person who was deactivated and knows
// the password; limited, with a *Wait as its cause.
func (s *Service) SignIn(ctx context.Context, email, password string, from Visitor) (*User, error) {
	u, err := s.verify(ctx, email, password, from)
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

// LastSignedIn is whom the session of ctx belonged to, though it may have ended; 0 where
// that is not known any more.
func (s *Service) LastSignedIn(ctx context.Context) int64 {
	id, _ := s.sessions.Get(ctx, sessionUser).(int64)
	return id
}

// ChangePassword sets a new password for a person who knows the present one.
// It ends all of their sessions but the one of ctx.
func (s *Service) ChangePassword(ctx context.Context, by Actor, present, next string, from Visitor) error {
	if by.Kind != Person {
		return fault.Forbidden("Only a person has a password.")
	}
	if err := CheckPassword(next); err != nil {
		return err
	}
	if _, err := s.verify(ctx, by.Email, present, from); err != nil {
		if fault.Is(err, fault.KindUnauthorized) {
			return fieldFault("present", "This is not your current password.")
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

// verify finds an active person by email address and password, within the limits. Too
// many wrong passwords for one account from one remote address or network are refused.
// Too many for one account from many networks, or from one address for many accounts,
// only slow further attempts down, since other people share the account's address or
// the network. A device on which the person has signed in before has a limit of its own
// alone.
func (s *Service) verify(ctx context.Context, email, password string, from Visitor) (*User, error) {
	address, err := NormalizeEmail(email)
	if err != nil {
		return nil, err
	}
	if device := s.device(address, from); device != "" {
		return s.verifyOnDevice(ctx, address, password, device)
	}
	visitor, origin, now := visitorKey(address, from.Remote), originKey(address, from.Remote), s.now()
	if wait := s.failedByVisitor.take(visitor, now); wait > 0 {
		return nil, limited(wait)
	}
	if wait := s.failedByOrigin.take(origin, now); wait > 0 {
		s.failedByVisitor.giveBack(visitor)
		return nil, limited(wait)
	}
	var counted []counter
	var slow []string
	for _, c := range s.shared(address, from.Remote) {
		if c.by.take(c.key, now) == 0 {
			counted = append(counted, c)
		} else {
			slow = append(slow, c.key)
		}
	}
	giveBack := func() {
		s.failedByVisitor.giveBack(visitor)
		for _, c := range counted {
			c.by.giveBack(c.key)
		}
	}
	if err := s.slowDown(ctx, slow); err != nil {
		// A cancelled attempt still counts as a failed one. One that was refused since
		// too many wait counts for its network alone: its password was not compared.
		if fault.Is(err, fault.KindLimited) {
			giveBack()
		}
		return nil, err
	}
	u, right, err := s.compare(ctx, address, password, false)
	switch {
	case err != nil: // says nothing about the password
		giveBack()
		s.failedByOrigin.giveBack(origin)
		return nil, err
	case !right:
		return nil, errWrongPassword()
	}
	giveBack()
	s.failedByVisitor.clear(visitor)
	s.failedByOrigin.clear(origin)
	s.failedByEmail.clear(address)
	return u, notDeactivated(u)
}

// verifyOnDevice is verify for a device on which the person has signed in before.
func (s *Service) verifyOnDevice(ctx context.Context, address, password, device string) (*User, error) {
	if wait := s.failedByDevice.take(device, s.now()); wait > 0 {
		return nil, limited(wait)
	}
	u, right, err := s.compare(ctx, address, password, true)
	switch {
	case err != nil:
		s.failedByDevice.giveBack(device)
		return nil, err
	case !right:
		return nil, errWrongPassword()
	}
	s.failedByDevice.clear(device)
	return u, notDeactivated(u)
}

func errWrongPassword() error {
	return fault.Unauthorized("Wrong email or password.")
}

func notDeactivated(u *User) error {
	if !u.Active {
		return fault.Forbidden("This account has been deactivated. An administrator can activate it again.")
	}
	return nil
}

// counter is a key of a limiter.
type counter struct {
	by  *limiter
	key string
}

// shared are the counters of an attempt that attempts of other people increment too.
func (s *Service) shared(address, remote string) []counter {
	return []counter{{s.failedByEmail, address}, {s.failedByRemote, remoteKey(remote)}, {s.failedByNetwork, networkKey(remote)}}
}

// slowDown acquires the queue of each key, in their order, and pauses while holding it.
func (s *Service) slowDown(ctx context.Context, keys []string) error {
	for _, key := range keys {
		leave, err := s.attempts.take(ctx, key)
		if err != nil {
			return err
		}
		defer leave()
	}
	if len(keys) == 0 {
		return nil
	}
	return s.pause(ctx, slowBy)
}

// compare checks a password. Attempts on known devices have places of their own in the
// queue for memory.
func (s *Service) compare(ctx context.Context, address, password string, known bool) (*User, bool, error) {
	u, err := s.store.UserByEmail(ctx, address)
	if fault.Is(err, fault.KindNotFound) {
		u = &User{}
	} else if err != nil {
		return nil, false, err
	}
	right, err := s.hasher.matches(ctx, u.PasswordHash, password, known)
	return u, right, err
}
