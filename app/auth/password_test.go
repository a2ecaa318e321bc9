package auth

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

var cheap = Cost{Memory: 8, Time: 1, Threads: 1}

func TestPasswordHash(t *testing.T) {
	t.Parallel()
	h := newHasher(cheap)
	encoded, err := h.hash(t.Context(), "correct horse é")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := h.hash(t.Context(), "correct horse é"); again == encoded {
		t.Error("two hashes of one password are the same: no salt")
	}
	for _, test := range []struct {
		encoded, password string
		want              bool
	}{
		{encoded, "correct horse é", true},
		{encoded, "correct horse e\u0301", true}, // composed otherwise by another keyboard
		{encoded, "correct horse e", false},
		{encoded, "", false},
		{encoded, strings.Repeat("x", 10_000), false},
		{"", "", false}, // has set no password
		{"", "correct horse é", false},
	} {
		got, err := h.matches(t.Context(), test.encoded, test.password, false)
		if got != test.want || err != nil {
			t.Errorf("matches(%.20q, %.20q) = %v, %v, want %v", test.encoded, test.password, got, err, test.want)
		}
	}
}

// The vector of RFC 9106 has a secret and associated data, which we do not use;
// this one is from the tests of the reference implementation.
func TestHashIsArgon2id(t *testing.T) {
	t.Parallel()
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := newHasher(DefaultCost).matches(t.Context(), reference, "password", false); !ok || err != nil {
		t.Errorf("the reference hash does not match: %v, %v", ok, err)
	}
}

func TestHashAtAnotherCostIsStale(t *testing.T) {
	t.Parallel()
	old, today := newHasher(cheap), newHasher(Cost{Memory: 16, Time: 2, Threads: 1})
	encoded, err := old.hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if old.stale(encoded) || !today.stale(encoded) {
		t.Errorf("stale: %v at its own cost, %v at another, want false, true", old.stale(encoded), today.stale(encoded))
	}
	if ok, err := today.matches(t.Context(), encoded, "correct horse", false); !ok || err != nil {
		t.Errorf("matches = %v, %v", ok, err)
	}
}

func TestDamagedHashIsInternal(t *testing.T) {
	t.Parallel()
	for _, encoded := range []string{
		"x", "$argon2i$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA", "$argon2id$v=16$m=8,t=1,p=1$c2FsdA$aGFzaA",
		"$argon2id$v=19$m=8$c2FsdA$aGFzaA", "$argon2id$v=19$m=8,t=1,p=1$!$aGFzaA", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA",
		"$argon2id$v=19$m=8,t=0,p=0$c2FsdA$" + strings.Repeat("A", 43),
	} {
		if ok, err := newHasher(cheap).matches(t.Context(), encoded, "x", false); ok || !fault.Is(err, fault.KindInternal) {
			t.Errorf("matches(%q) = %v, %v, want an internal fault", encoded, ok, err)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]string{
		"short":                   "A password has at least 12 characters; this one has 5.",
		"":                        "A password has at least 12 characters; this one has 0.",
		strings.Repeat("ab", 129): "A password has at most 256 characters; this one has 258.",
		"aaaaaaaaaaaa":            "A password of one repeated character is guessed at once.",
		"valid\xff length":        "A password is text.",
		"correct horse":           "",
		"пароль для ночи":         "",
		"éééééééééé12":            "",
	} {
		got := ""
		if err := CheckPassword(password); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("CheckPassword(%.20q): %q, want %q", password, got, want)
		}
	}
}

func TestConcurrentHashesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(DefaultCost)
		var leaves []func()
		for range 2 {
			leave, err := h.enter(t.Context(), DefaultCost, false)
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
		ctx, hangUp := context.WithCancel(t.Context())
		outcomes := make(chan error, maxHashesWaiting)
		for range maxHashesWaiting {
			go func() {
				_, err := h.enter(ctx, DefaultCost, false)
				outcomes <- err
			}()
		}
		synctest.Wait()
		if len(outcomes) != 0 {
			t.Fatalf("%d of those who should wait did not", len(outcomes))
		}
		if _, err := h.enter(t.Context(), DefaultCost, false); !fault.Is(err, fault.KindUnavailable) {
			t.Errorf("one too many: %v, want unavailable", err)
		}
		leaves[0]()
		synctest.Wait()
		if len(outcomes) != 1 || <-outcomes != nil {
			t.Error("free memory went to nobody")
		}
		hangUp()
		for range maxHashesWaiting - 1 {
			if err := <-outcomes; !fault.Is(err, fault.KindUnavailable) {
				t.Errorf("who hung up: %v, want unavailable", err)
			}
		}
		if n := h.waiting.Load(); n != 0 {
			t.Errorf("%d still count as waiting", n)
		}
	})
}

func TestWaitForHashIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(DefaultCost)
		whole := Cost{Memory: 2 * maxHashMemory} // more than there is takes all of it
		if _, err := h.enter(t.Context(), whole, false); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := h.enter(t.Context(), cheap, false); !fault.Is(err, fault.KindUnavailable) || time.Since(begun) != maxHashWait {
			t.Errorf("after %s: %v, want unavailable after %s", time.Since(begun), err, maxHashWait)
		}
	})
}
