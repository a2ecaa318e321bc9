package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

const password = "correct horse"

// office is people's side of Tocsin on one database, with a clock that stands
// still and a browser.
type office struct {
	*auth.Service
	t        *testing.T
	db       *Store
	now      time.Time
	sessions *auth.Sessions
	paused   time.Duration // by the last attempt to sign in
	hangsUp  bool          // whoever has to wait
}

func openOffice(t *testing.T, st *Store) *office {
	t.Helper()
	o := &office{t: t, db: st, now: time.Date(2026, 11, 23, 3, 12, 0, 0, time.UTC)}
	st.Clock.Fixed = func() time.Time { return o.now }
	o.sessions = auth.NewSessions(st.Access.Sessions(), true, time.Now)
	keys, err := auth.NewKeyring(make([]byte, auth.KeySize))
	o.must(err)
	o.Service = auth.NewService(st.Access, st.Organization.PeopleEditor(), o.sessions, auth.Options{
		Now:     st.Now,
		Devices: keys,
		Cost:    auth.Cost{Memory: 8, Time: 1, Threads: 1},
		Pause: func(_ context.Context, wait time.Duration) error {
			o.paused = wait
			if o.hangsUp {
				return context.Canceled
			}
			return nil
		},
	})
	return o
}

// browser is the context of one visitor, whose session lives as long as it.
func (o *office) browser() context.Context {
	o.t.Helper()
	ctx, err := o.sessions.Load(o.t.Context(), "")
	o.must(err)
	return ctx
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) hire(email string, role auth.Role) *auth.User {
	o.t.Helper()
	u, err := o.CreateUser(o.t.Context(), auth.Tocsin, auth.Profile{Email: email, Name: email, Role: role})
	o.must(err)
	return u
}

// hireWithPassword hires somebody who has used their invitation.
func (o *office) hireWithPassword(email string, role auth.Role) *auth.User {
	o.t.Helper()
	u := o.hire(email, role)
	token, _, err := o.PasswordLink(o.t.Context(), auth.Tocsin, u.ID)
	o.must(err)
	u, err = o.SetPassword(o.browser(), token, password)
	o.must(err)
	return u
}

func (o *office) wantKind(err error, kind fault.Kind) {
	o.t.Helper()
	if !fault.Is(err, kind) {
		o.t.Errorf("got %v, want a fault of kind %s", err, kind)
	}
}

// atOnce runs f n times in parallel and returns what each answered.
func atOnce(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errs
}

func TestUsersAreStored(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ben := o.hire("Ben@Acme.test", auth.Responder)
		ana, err := o.CreateUser(ctx, auth.Tocsin, auth.Profile{Email: "ana@acme.test", Name: "Ana", Role: auth.Manager, Timezone: "Europe/Madrid"})
		o.must(err)
		_, err = o.CreateUser(ctx, auth.Tocsin, auth.Profile{Email: " BEN@acme.test", Name: "Another", Role: auth.Responder})
		o.wantKind(err, fault.KindConflict)
		if _, err := o.CreateUser(ctx, ana.Actor(), auth.Profile{}); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("a manager creates people: %v", err)
		}

		want := auth.User{ID: ana.ID, Email: "ana@acme.test", Name: "Ana", Role: auth.Manager, Timezone: "Europe/Madrid", Active: true, CreatedAt: o.now}
		got, err := o.UserByEmail(ctx, auth.Tocsin, "ANA@acme.test")
		o.must(err)
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("by address (-want +got):\n%s", diff)
		}
		o.must(o.SetProfile(ctx, ana.Actor(), ana.ID, "Ana Ortiz", ""))
		o.wantKind(o.SetProfile(ctx, ana.Actor(), ben.ID, "Benny", ""), fault.KindForbidden)
		o.must(o.SetRole(ctx, auth.Tocsin, ana.ID, auth.Responder))
		want.Name, want.Timezone, want.Role = "Ana Ortiz", "", auth.Responder
		users, err := o.Users(ctx, auth.Tocsin)
		o.must(err)
		if diff := cmp.Diff([]auth.User{want, *ben}, users); diff != "" {
			t.Errorf("people (-want +got):\n%s", diff)
		}
		_, err = o.User(ctx, auth.Tocsin, 4711)
		o.wantKind(err, fault.KindNotFound)
		o.wantKind(o.SetRole(ctx, auth.Tocsin, 4711, auth.Responder), fault.KindNotFound)
		o.wantKind(o.SetRole(ctx, auth.Tocsin, ana.ID, auth.Read), fault.KindInvalid)
	})
}

func TestUserChangeRaisesConfigVersion(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		wakeups, stop := st.Bus().Listen()
		defer stop()
		version := func() (v int64) {
			o.must(st.Read.QueryRowContext(ctx, "SELECT config_version FROM organization").Scan(&v))
			return v
		}
		before := version()
		ana := o.hire("ana@acme.test", auth.Responder)
		if got := version(); got != before+1 {
			t.Errorf("version %d after hiring, want %d", got, before+1)
		}
		if w := <-wakeups; w.Work&db.ToReload == 0 {
			t.Errorf("told %+v, want that there is something to reload", w)
		}
		o.must(o.SetActive(ctx, auth.Tocsin, ana.ID, true)) // as she is
		o.must(o.SetProfile(ctx, auth.Tocsin, ana.ID, ana.Name, ana.Timezone))
		if got := version(); got != before+1 {
			t.Errorf("version %d after a change that changed nothing, want %d", got, before+1)
		}
	})
}

func TestSignIn(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		ana := o.hireWithPassword("ana@acme.test", auth.Responder)
		browser := o.browser()
		_, err := o.SignedIn(browser)
		o.wantKind(err, fault.KindUnauthorized)
		_, err = o.SignIn(browser, " Ana@ACME.test", password, auth.Visitor{Remote: "192.0.2.1"})
		o.must(err)
		got, err := o.SignedIn(browser)
		o.must(err)
		if diff := cmp.Diff(ana, got); diff != "" {
			t.Errorf("signed in (-want +got):\n%s", diff)
		}
		o.must(o.SignOut(browser))
		_, err = o.SignedIn(browser)
		o.wantKind(err, fault.KindUnauthorized)
	})
}

func TestSignInDoesNotRevealAccounts(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		o.hireWithPassword("ana@acme.test", auth.Responder)
		o.hire("new@acme.test", auth.Responder) // has set no password
		gone := o.hireWithPassword("gone@acme.test", auth.Responder)
		o.must(o.SetActive(t.Context(), auth.Tocsin, gone.ID, false))
		answers := map[string]string{}
		for _, email := range []string{"ana@acme.test", "new@acme.test", "gone@acme.test", "nobody@acme.test"} {
			_, err := o.SignIn(o.browser(), email, "not the password", auth.Visitor{Remote: "192.0.2.1"})
			o.wantKind(err, fault.KindUnauthorized)
			answers[err.Error()] = email
		}
		if len(answers) != 1 {
			t.Errorf("the answers differ: %v", answers)
		}
		_, err := o.SignIn(o.browser(), "new@acme.test", "", auth.Visitor{Remote: "192.0.2.1"})
		o.wantKind(err, fault.KindUnauthorized)
		_, err = o.SignIn(o.browser(), "gone@acme.test", password, auth.Visitor{Remote: "192.0.2.1"})
		o.wantKind(err, fault.KindForbidden)
	})
}

func TestCancelledSignInCountsAsFailure(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		o.hireWithPassword("ana@acme.test", auth.Responder)
		guess := func(i int) error {
			_, err := o.SignIn(o.browser(), "ana@acme.test", "guess number one", auth.Visitor{Remote: fmt.Sprintf("192.0.2.%d", i)})
			return err
		}
		for i := range 50 {
			o.wantKind(guess(i), fault.KindUnauthorized)
		}
		o.hangsUp = true
		for i := range 20 {
			if err := guess(100 + i); !errors.Is(err, context.Canceled) {
				t.Fatalf("guess %d after the bound did not wait: %v", i, err)
			}
		}
	})
}

func TestNewPasswordEndsOtherSessions(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		ana := o.hireWithPassword("ana@acme.test", auth.Responder)
		phone, laptop := o.browser(), o.browser()
		for _, browser := range []context.Context{phone, laptop} {
			_, err := o.SignIn(browser, ana.Email, password, auth.Visitor{Remote: "192.0.2.1"})
			o.must(err)
		}
		invitation, _, err := o.PasswordLink(t.Context(), auth.Tocsin, ana.ID)
		o.must(err)

		o.wantKind(o.ChangePassword(laptop, ana.Actor(), "not the present", "staple battery", auth.Visitor{Remote: "192.0.2.1"}), fault.KindInvalid)
		o.wantKind(o.ChangePassword(laptop, ana.Actor(), password, "short", auth.Visitor{Remote: "192.0.2.1"}), fault.KindInvalid)
		o.wantKind(o.ChangePassword(laptop, auth.Tocsin, password, "staple battery", auth.Visitor{Remote: ""}), fault.KindForbidden)
		_, err = o.SignedIn(phone)
		o.must(err)

		o.must(o.ChangePassword(laptop, ana.Actor(), password, "staple battery", auth.Visitor{Remote: "192.0.2.1"}))
		_, err = o.SignedIn(laptop)
		o.must(err)
		_, err = o.SignedIn(phone)
		o.wantKind(err, fault.KindUnauthorized)
		_, err = o.SignIn(phone, ana.Email, password, auth.Visitor{Remote: "192.0.2.1"})
		o.wantKind(err, fault.KindUnauthorized)
		_, err = o.SignIn(phone, ana.Email, "staple battery", auth.Visitor{Remote: "192.0.2.1"})
		o.must(err)
		_, err = o.SetPassword(o.browser(), invitation, "another password")
		o.wantKind(err, fault.KindGone)
	})
}

func TestDeactivationEndsSessions(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		ana := o.hireWithPassword("ana@acme.test", auth.Responder)
		browser := o.browser()
		_, err := o.SignIn(browser, ana.Email, password, auth.Visitor{Remote: "192.0.2.1"})
		o.must(err)
		invitation, _, err := o.PasswordLink(t.Context(), auth.Tocsin, ana.ID)
		o.must(err)
		o.must(o.SetActive(t.Context(), auth.Tocsin, ana.ID, false))
		_, err = o.SignedIn(browser)
		o.wantKind(err, fault.KindUnauthorized)
		_, err = o.SetPassword(o.browser(), invitation, "another password")
		o.wantKind(err, fault.KindForbidden)
		_, _, err = o.PasswordLink(t.Context(), auth.Tocsin, ana.ID)
		o.wantKind(err, fault.KindConflict)

		o.must(o.SetActive(t.Context(), auth.Tocsin, ana.ID, true))
		_, err = o.SignedIn(browser) // the session from before stays ended
		o.wantKind(err, fault.KindUnauthorized)
		_, err = o.SignIn(browser, ana.Email, password, auth.Visitor{Remote: "192.0.2.1"})
		o.must(err)
		// Whatever else deactivates people need not know of sessions.
		_, err = st.Write.ExecContext(t.Context(), "UPDATE users SET active = false")
		o.must(err)
		_, err = o.SignedIn(browser)
		o.wantKind(err, fault.KindUnauthorized)
	})
}

func TestPasswordIsRehashedOnCostChange(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		ana := o.hireWithPassword("ana@acme.test", auth.Responder)
		dearer := auth.NewService(st.Access, st.Organization.PeopleEditor(), o.sessions, auth.Options{Now: st.Now, Cost: auth.Cost{Memory: 16, Time: 1, Threads: 1}})
		for range 2 {
			_, err := dearer.SignIn(o.browser(), ana.Email, password, auth.Visitor{Remote: "192.0.2.1"})
			o.must(err)
		}
		got, err := st.Access.User(t.Context(), ana.ID)
		o.must(err)
		if !strings.HasPrefix(got.PasswordHash, "$argon2id$v=19$m=16,t=1,p=1$") {
			t.Errorf("hash %.35q… has the old cost", got.PasswordHash)
		}
		if got.SessionEpoch != ana.SessionEpoch {
			t.Error("rehashing ended the sessions")
		}
		o.must(st.Access.Rehash(t.Context(), ana.ID, ana.PasswordHash, "late")) // the hash it replaces is gone
		if after, err := st.Access.User(t.Context(), ana.ID); err != nil || after.PasswordHash != got.PasswordHash {
			t.Errorf("a late rehash replaced a newer hash: %v", err)
		}
	})
}

func TestLastAdministratorCannotBeRemoved(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ana := o.hire("ana@acme.test", auth.Administrator)
		gone := o.hire("gone@acme.test", auth.Administrator)
		o.must(o.SetActive(ctx, ana.Actor(), gone.ID, false))
		o.wantKind(o.SetRole(ctx, ana.Actor(), ana.ID, auth.Manager), fault.KindConflict)
		o.wantKind(o.SetActive(ctx, ana.Actor(), ana.ID, false), fault.KindConflict)
		o.must(o.SetRole(ctx, ana.Actor(), ana.ID, auth.Administrator))
		o.must(o.SetRole(ctx, ana.Actor(), gone.ID, auth.Responder))
	})
}

func TestConcurrentDemotionsKeepOneAdministrator(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		for range 10 {
			admins := []*auth.User{o.hire(unique("ana"), auth.Administrator), o.hire(unique("ben"), auth.Administrator)}
			o.demoteAllBut(admins)
			errs := atOnce(2, func(i int) error {
				if i == 0 {
					return o.SetRole(ctx, admins[0].Actor(), admins[1].ID, auth.Responder)
				}
				return o.SetActive(ctx, admins[1].Actor(), admins[0].ID, false)
			})
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("both answered alike: %v, %v", errs[0], errs[1])
			}
			o.wantKind(errors.Join(errs...), fault.KindConflict)
			if has, err := st.Access.HasAdministrator(ctx); !has || err != nil {
				t.Fatalf("an administrator is left: %v, %v", has, err)
			}
		}
	})
}

// demoteAllBut leaves these as the only administrators.
func (o *office) demoteAllBut(keep []*auth.User) {
	o.t.Helper()
	users, err := o.Users(o.t.Context(), auth.Tocsin)
	o.must(err)
	for _, u := range users {
		if u.ID != keep[0].ID && u.ID != keep[1].ID {
			o.must(o.SetRole(o.t.Context(), auth.Tocsin, u.ID, auth.Stakeholder))
		}
	}
}

func unique(name string) string {
	return name + "-" + auth.NewIntegrationKey() + "@acme.test"
}
