package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

func profile(email string) auth.Profile {
	return auth.Profile{Email: email, Name: "Ada Admin", Timezone: "Europe/Vienna"}
}

func (o *office) setupLink() string {
	o.t.Helper()
	token, err := o.SetupLink(o.t.Context())
	o.must(err)
	return token
}

func TestSetupLinkCreatesAdministrator(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		first, second := o.setupLink(), o.setupLink()
		if first == "" || first == second {
			t.Fatalf("links %q and %q, want two", first, second)
		}
		if purpose, _, err := o.OpenLink(ctx, first); purpose != auth.ForSetup || err != nil {
			t.Errorf("opened: %q, %v", purpose, err)
		}
		browser := o.browser()
		_, err := o.SetUp(browser, first, profile("not an address"), "short", "Acme")
		o.wantKind(err, fault.KindInvalid)
		ada, err := o.SetUp(browser, first, profile("Ada@Acme.test"), password, "Acme")
		o.must(err)
		if s, err := st.Organization.Load(ctx); err != nil || s.Organization.Name != "Acme" || s.Organization.Timezone != "Europe/Vienna" {
			t.Errorf("the organisation is %+v, %v", s.Organization, err)
		}
		if got, err := o.SignedIn(browser); err != nil || got.ID != ada.ID || got.Role != auth.Administrator {
			t.Errorf("signed in after setup: %+v, %v", got, err)
		}
		for _, token := range []string{first, second} {
			_, err = o.SetUp(o.browser(), token, profile("eve@acme.test"), password, "Acme")
			o.wantKind(err, fault.KindGone)
			_, _, err = o.OpenLink(ctx, token)
			o.wantKind(err, fault.KindGone)
		}
		if token := o.setupLink(); token != "" {
			t.Error("a setup link is made though there is an administrator")
		}
		_, err = o.SignIn(o.browser(), "ada@acme.test", password, auth.Visitor{Remote: "192.0.2.1"})
		o.must(err)
	})
}

// TestFailedSetupKeepsLink has the organisation's name refused,
// after everything else was written.
func TestFailedSetupKeepsLink(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		refuse := "ALTER TABLE organization ADD CHECK (name <> 'refused')"
		if st.Dialect == db.SQLite {
			refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON organization WHEN NEW.name = 'refused' BEGIN SELECT RAISE(ABORT, 'refused'); END"
		}
		_, err := st.Write.ExecContext(ctx, refuse)
		o.must(err)
		link := o.setupLink()
		if _, err := o.SetUp(o.browser(), link, profile("ada@acme.test"), password, "refused"); err == nil {
			t.Fatal("the organisation took a name that is refused")
		}
		if has, err := st.Access.HasAdministrator(ctx); has || err != nil {
			t.Errorf("there is an administrator: %t, %v", has, err)
		}
		_, err = o.SetUp(o.browser(), link, profile("ada@acme.test"), password, "Acme")
		o.must(err)
	})
}

func TestSetupLinkUsesConfiguredAccount(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		ada := o.hire("ada@acme.test", auth.Responder)
		o.must(o.SetActive(t.Context(), auth.Tocsin, ada.ID, false))
		got, err := o.SetUp(o.browser(), o.setupLink(), profile("ada@acme.test"), password, "Acme")
		o.must(err)
		if got.ID != ada.ID || got.Role != auth.Administrator || !got.Active {
			t.Errorf("set up as %+v, want person %d as administrator", got, ada.ID)
		}
	})
}

func TestLinksExpire(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ana := o.hire("ana@acme.test", auth.Responder)
		setup := o.setupLink()
		invitation, expires, err := o.PasswordLink(ctx, auth.Tocsin, ana.ID)
		o.must(err)
		began := o.now
		if !expires.Equal(began.Add(72 * time.Hour)) {
			t.Errorf("the invitation expires %s after it was made", expires.Sub(began))
		}
		for token, lifetime := range map[string]time.Duration{setup: 24 * time.Hour, invitation: 72 * time.Hour} {
			o.now = began.Add(lifetime - time.Microsecond)
			_, _, err := o.OpenLink(ctx, token)
			o.must(err)
			o.now = began.Add(lifetime)
			_, _, err = o.OpenLink(ctx, token)
			o.wantKind(err, fault.KindGone)
		}
		o.now = began.Add(72 * time.Hour)
		_, err = o.SetPassword(o.browser(), invitation, password)
		o.wantKind(err, fault.KindGone)
		_, err = st.Access.UsePasswordLink(ctx, []byte("never made"), "hash", o.now)
		o.wantKind(err, fault.KindNotFound)

		o.must(st.Access.SweepAccess(ctx))
		_, _, err = o.OpenLink(ctx, setup)
		o.wantKind(err, fault.KindNotFound)
		_, _, err = o.OpenLink(ctx, invitation) // a late reader still learns why
		o.wantKind(err, fault.KindGone)
	})
}

func TestLinkHasOnePurpose(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ana := o.hire("ana@acme.test", auth.Responder)
		invitation, _, err := o.PasswordLink(ctx, auth.Tocsin, ana.ID)
		o.must(err)
		purpose, whose, err := o.OpenLink(ctx, invitation)
		if err != nil || purpose != auth.ForPassword || whose.ID != ana.ID {
			t.Errorf("opened: %q of %+v, %v", purpose, whose, err)
		}
		_, err = o.SetUp(o.browser(), invitation, profile("ana@acme.test"), password, "Acme")
		o.wantKind(err, fault.KindNotFound)
		_, err = o.SetPassword(o.browser(), o.setupLink(), password)
		o.wantKind(err, fault.KindNotFound)
		_, err = o.SetPassword(o.browser(), "guessed", password)
		o.wantKind(err, fault.KindNotFound)
		if _, _, err := o.PasswordLink(ctx, ana.Actor(), ana.ID); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("a responder invites: %v", err)
		}
		var kept int
		o.must(st.Read.QueryRowContext(ctx, st.Rebind("SELECT count(*) FROM one_time_links WHERE hash = $1"), []byte(invitation)).Scan(&kept))
		if kept != 0 {
			t.Error("the token itself is kept")
		}
	})
}

func TestLinkIsUsedOnce(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ana := o.hire("ana@acme.test", auth.Responder)
		for range 5 {
			token, _, err := o.PasswordLink(ctx, auth.Tocsin, ana.ID)
			o.must(err)
			wonBy := ""
			errs := atOnce(4, func(i int) error {
				_, err := o.SetPassword(o.browser(), token, fmt.Sprintf("password of %d", i))
				return err
			})
			for i, err := range errs {
				if err == nil && wonBy == "" {
					wonBy = fmt.Sprintf("password of %d", i)
					continue
				}
				o.wantKind(err, fault.KindGone)
			}
			_, err = o.SignIn(o.browser(), ana.Email, wonBy, auth.Visitor{Remote: "192.0.2.1"})
			o.must(err)
		}
	})
}

func TestConcurrentSetupCreatesOneAdministrator(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		links := []string{o.setupLink(), o.setupLink()}
		won := 0
		for _, err := range atOnce(4, func(i int) error {
			_, err := o.SetUp(o.browser(), links[i%2], profile(fmt.Sprintf("ada%d@acme.test", i)), password, "Acme")
			return err
		}) {
			if err == nil {
				won++
				continue
			}
			o.wantKind(err, fault.KindGone)
		}
		users, err := o.Users(t.Context(), auth.Tocsin)
		o.must(err)
		if won != 1 || len(users) != 1 {
			t.Errorf("%d succeeded and %d people exist, want one", won, len(users))
		}
	})
}
