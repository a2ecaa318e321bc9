package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestPasswordGuessingIsLimited(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		o.hireWithPassword("ana@acme.test", auth.Responder)
		o.hireWithPassword("ben@acme.test", auth.Responder)
		signIn := func(email, with, remote string) error {
			_, err := o.SignIn(o.browser(), email, with, auth.Visitor{Remote: remote})
			return err
		}
		// Of twenty at once from one address ten are looked at.
		refused := 0
		for _, err := range atOnce(20, func(int) error {
			_, err := o.SignIn(o.browser(), "ana@acme.test", "guess number one", auth.Visitor{Remote: "192.0.2.1"})
			return err
		}) {
			if fault.Is(err, fault.KindLimited) {
				refused++
			}
		}
		if refused != 10 {
			t.Errorf("%d of 20 guesses were refused, want 10", refused)
		}
		err := signIn("ana@acme.test", password, "192.0.2.1")
		var wait *auth.Wait
		if !fault.Is(err, fault.KindLimited) || !errors.As(err, &wait) || wait.For != 15*time.Minute {
			t.Errorf("the right password after ten wrong ones: %v, want to wait 15 minutes", err)
		}
		o.must(signIn("ben@acme.test", password, "192.0.2.1"))
		o.now = o.now.Add(15 * time.Minute)
		for range 3 { // what succeeds does not count
			for range 9 {
				o.wantKind(signIn("ana@acme.test", "guess number two", "192.0.2.1"), fault.KindUnauthorized)
			}
			o.must(signIn("ana@acme.test", password, "192.0.2.1"))
		}
	})
}

// Whoever is on call gets in, whatever strangers try; they may only have to wait
// for it.
func TestOthersFailuresLockNobodyOut(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		for _, test := range []struct {
			name               string
			strangers, guesses int // each stranger's
			remote             string
			want               fault.Kind
			waits              int // seconds
		}{
			{"one stranger", 1, 10, "198.51.100.1", "", 0},
			{"from the stranger's address", 1, 10, "192.0.2.100", fault.KindLimited, 0},
			{"five strangers", 5, 9, "198.51.100.1", "", 0},
			{"many strangers", 12, 5, "198.51.100.1", "", 2},
			{"from an address among many", 12, 5, "192.0.2.100", "", 2},
		} {
			o := openOffice(t, st)
			if test.name == "one stranger" {
				o.hireWithPassword("ana@acme.test", auth.Responder)
			}
			for i := range test.strangers * test.guesses {
				_, err := o.SignIn(o.browser(), "ana@acme.test", "guess number one", auth.Visitor{Remote: fmt.Sprintf("192.0.2.%d", 100+i%test.strangers)})
				o.wantKind(err, fault.KindUnauthorized)
			}
			o.paused = 0
			_, err := o.SignIn(o.browser(), "ana@acme.test", password, auth.Visitor{Remote: test.remote})
			if test.want == "" && err != nil || test.want != "" && !fault.Is(err, test.want) {
				t.Errorf("%s: %v", test.name, err)
			}
			if o.paused != time.Duration(test.waits)*time.Second {
				t.Errorf("%s: waited %v", test.name, o.paused)
			}
			if test.want != "" {
				continue
			}
			o.paused = 0
			_, err = o.SignIn(o.browser(), "ana@acme.test", password, auth.Visitor{Remote: test.remote})
			if o.must(err); o.paused != 0 {
				t.Errorf("%s: it is slow again", test.name)
			}
		}
	})
}

// TestKnownDeviceSignsInDuringAttack has strangers of many networks keep the account's
// queue full.
func TestKnownDeviceSignsInDuringAttack(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		ana, ben := o.hireWithPassword("ana@acme.test", auth.Responder), o.hireWithPassword("ben@acme.test", auth.Responder)
		known := auth.Visitor{Remote: "198.51.100.1", Device: o.DeviceToken(ana)}
		for i := range 80 {
			_, err := o.SignIn(o.browser(), ana.Email, "guess number one", auth.Visitor{Remote: fmt.Sprintf("203.0.%d.1", i)})
			o.wantKind(err, fault.KindUnauthorized)
		}
		o.paused, o.hangsUp = 0, true // whoever has to wait
		_, err := o.SignIn(o.browser(), ana.Email, password, known)
		o.must(err)
		for _, device := range []string{o.DeviceToken(ben), "x", "x.y", ""} {
			_, err = o.SignIn(o.browser(), ana.Email, password, auth.Visitor{Remote: "198.51.100.1", Device: device})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("with the token %q of no device of hers: %v, want to wait", device, err)
			}
		}
		for range 10 {
			_, err = o.SignIn(o.browser(), ana.Email, "guess number one", known)
			o.wantKind(err, fault.KindUnauthorized)
		}
		_, err = o.SignIn(o.browser(), ana.Email, password, known)
		o.wantKind(err, fault.KindLimited)
	})
}

// TestGuessingFromOneNetworkIsRefused has a /48 and a /24 guess one account's password
// from an address each.
func TestGuessingFromOneNetworkIsRefused(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		for _, address := range []string{"2001:db8:1:%x::1", "192.0.2.%d"} {
			o := openOffice(t, st)
			if _, err := o.UserByEmail(t.Context(), auth.Tocsin, "ana@acme.test"); err != nil {
				o.hireWithPassword("ana@acme.test", auth.Responder)
			}
			for i := range 100 {
				_, err := o.SignIn(o.browser(), "ana@acme.test", "guess number one", auth.Visitor{Remote: fmt.Sprintf(address, i)})
				o.wantKind(err, fault.KindUnauthorized)
			}
			_, err := o.SignIn(o.browser(), "ana@acme.test", "guess number one", auth.Visitor{Remote: fmt.Sprintf(address, 200)})
			o.wantKind(err, fault.KindLimited)
			_, err = o.SignIn(o.browser(), "ana@acme.test", password, auth.Visitor{Remote: "198.51.100.1"})
			o.must(err)
		}
	})
}

func TestNewPasswordResetsLimits(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		ana := o.hireWithPassword("ana@acme.test", auth.Responder)
		for range 10 {
			_, err := o.SignIn(o.browser(), ana.Email, "guess number one", auth.Visitor{Remote: "192.0.2.1"})
			o.wantKind(err, fault.KindUnauthorized)
		}
		token, _, err := o.PasswordLink(t.Context(), auth.Tocsin, ana.ID)
		o.must(err)
		_, err = o.SetPassword(o.browser(), token, "battery staple")
		o.must(err)
		_, err = o.SignIn(o.browser(), ana.Email, "battery staple", auth.Visitor{Remote: "192.0.2.1"})
		o.must(err)
	})
}

func TestGuessingFromOneAddressIsLimited(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		o.hireWithPassword("ana@acme.test", auth.Responder)
		for i := range 50 {
			_, err := o.SignIn(o.browser(), string(rune('a'+i%26))+string(rune('a'+i/26))+"@acme.test", "guess number one", auth.Visitor{Remote: "192.0.2.1"})
			o.wantKind(err, fault.KindUnauthorized)
		}
		_, err := o.SignIn(o.browser(), "ana@acme.test", password, auth.Visitor{Remote: "192.0.2.1"})
		if o.must(err); o.paused == 0 {
			t.Error("an address with fifty failures is not slowed")
		}
		o.paused = 0
		_, err = o.SignIn(o.browser(), "ana@acme.test", password, auth.Visitor{Remote: "192.0.2.2"})
		if o.must(err); o.paused != 0 {
			t.Error("another address is slowed too")
		}
	})
}

// Of IPv6 addresses one customer has as many as they like.
func TestGuessingFromOneIPv6NetworkIsLimited(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		o.hireWithPassword("ana@acme.test", auth.Responder)
		for i := range 200 {
			_, err := o.SignIn(o.browser(), fmt.Sprintf("p%d@acme.test", i), "guess number one", auth.Visitor{Remote: fmt.Sprintf("2001:db8:1:%x::1", i)})
			o.wantKind(err, fault.KindUnauthorized)
		}
		_, err := o.SignIn(o.browser(), "ana@acme.test", password, auth.Visitor{Remote: "2001:db8:1:ffff::1"})
		if o.must(err); o.paused == 0 {
			t.Error("the network is not slowed")
		}
	})
}
