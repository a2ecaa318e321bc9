package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// oneUser stores one person and nothing else.
type oneUser struct {
	Store
	user User
}

func (s oneUser) UserByEmail(_ context.Context, email string) (*User, error) {
	if email != s.user.Email {
		return nil, fault.NotFound("There is no such person.")
	}
	u := s.user
	return &u, nil
}

// While all slots are in use, every attempt that hashes is refused, so that an
// attempt that gets another answer was answered without a hash, and faster.
func TestEverySignInHashes(t *testing.T) {
	t.Parallel()
	const password = "correct horse"
	hash, err := newHasher(cheap).hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		user     User
		password string
	}{
		"unknown address":    {User{Email: "ben@acme.example", PasswordHash: hash, Active: true}, password},
		"no password set":    {User{Email: "ana@acme.example", Active: true}, password},
		"deactivated":        {User{Email: "ana@acme.example", PasswordHash: hash}, password},
		"wrong password":     {User{Email: "ana@acme.example", PasswordHash: hash, Active: true}, "wrong horse"},
		"password too long":  {User{Email: "ana@acme.example", PasswordHash: hash, Active: true}, string(make([]byte, maxPassword+1))},
		"password not given": {User{Email: "ana@acme.example", PasswordHash: hash, Active: true}, ""},
		"right password":     {User{Email: "ana@acme.example", PasswordHash: hash, Active: true}, password},
	} {
		s := NewService(oneUser{user: c.user}, nil, nil, Options{Now: func() time.Time { return noon }, Cost: cheap})
		if !s.hasher.memory.TryAcquire(s.hasher.budget) {
			t.Fatal("memory for hashes is taken")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.SignIn(ctx, "ana@acme.example", c.password, Visitor{Remote: "192.0.2.7"}); !fault.Is(err, fault.KindUnavailable) {
			t.Errorf("%s: %v, want it to wait for memory", name, err)
		}
	}
	h := newHasher(DefaultCost)
	if h.stale(h.decoy) {
		t.Error("the hash for unknown addresses has another cost")
	}
}

// TestRefusedAttemptsCountForTheirNetwork keeps an account's queue full.
func TestRefusedAttemptsCountForTheirNetwork(t *testing.T) {
	t.Parallel()
	s := NewService(oneUser{}, nil, nil, Options{Now: func() time.Time { return noon }, Cost: cheap})
	for range failuresByEmail {
		s.failedByEmail.take("ana@acme.example", noon)
	}
	s.attempts.lines = map[string]*line{"ana@acme.example": {in: maxWaiting, turn: make(chan struct{}, 1)}}
	attempt := func() time.Duration {
		_, err := s.SignIn(t.Context(), "ana@acme.example", "a wrong password", Visitor{Remote: "192.0.2.1"})
		wait, ok := errors.AsType[*Wait](err)
		if !ok {
			t.Fatalf("%v, want to be told to wait", err)
		}
		return wait.For
	}
	for range failuresByOrigin {
		if wait := attempt(); wait >= failureWindow {
			t.Fatalf("to wait %s, before the network's tries are used up", wait)
		}
	}
	if wait := attempt(); wait != failureWindow {
		t.Errorf("to wait %s after the network's tries are used up, want %s", wait, failureWindow)
	}
}
