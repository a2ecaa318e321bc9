package store

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestTokens(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ada := o.hire("ada@acme.test", auth.Administrator)
		secret, made, err := o.CreateToken(ctx, ada.Actor(), " deploy ", auth.Read)
		o.must(err)
		if !strings.HasPrefix(secret, "tok_") || len(secret) != 44 {
			t.Errorf("secret %q", secret)
		}
		actor, err := o.ByToken(ctx, secret, "192.0.2.1")
		o.must(err)
		if diff := cmp.Diff(auth.Actor{Kind: auth.ByToken, Name: "deploy", Role: auth.Read}, actor); diff != "" {
			t.Errorf("actor (-want +got):\n%s", diff)
		}
		_, _, err = o.CreateToken(ctx, ada.Actor(), "deploy", auth.Responder)
		o.wantKind(err, fault.KindConflict)
		_, _, err = o.CreateToken(ctx, ada.Actor(), "", "root")
		o.wantKind(err, fault.KindInvalid)
		_, _, err = o.CreateToken(ctx, actor, "more", auth.Read)
		o.wantKind(err, fault.KindForbidden)

		want := *made
		want.LastUsedAt = &o.now
		list := func() []auth.Token {
			tokens, err := o.Tokens(ctx, ada.Actor())
			o.must(err)
			return tokens
		}
		if diff := cmp.Diff([]auth.Token{want}, list()); diff != "" {
			t.Errorf("tokens (-want +got):\n%s", diff)
		}

		o.must(o.RevokeToken(ctx, ada.Actor(), made.ID))
		revoked := o.now
		o.now = o.now.Add(time.Hour)
		o.must(o.RevokeToken(ctx, ada.Actor(), made.ID)) // once is enough
		if got := list()[0].RevokedAt; got == nil || !got.Equal(revoked) {
			t.Errorf("revoked at %v, want %s", got, revoked)
		}
		_, err = o.ByToken(ctx, secret, "192.0.2.1")
		o.wantKind(err, fault.KindUnauthorized)
		o.wantKind(o.RevokeToken(ctx, ada.Actor(), 4711), fault.KindNotFound)
	})
}

func TestTokenUseIsRecordedOncePerMinute(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		secret, made, err := o.CreateToken(ctx, auth.Tocsin, "deploy", auth.Read)
		o.must(err)
		began := o.now
		for _, step := range []struct{ at, noted time.Duration }{
			{0, 0},
			{time.Minute - time.Microsecond, 0},
			{time.Minute, time.Minute},
			{90 * time.Second, time.Minute},
			{time.Hour, time.Hour},
		} {
			o.now = began.Add(step.at)
			_, err := o.ByToken(ctx, secret, "192.0.2.1")
			o.must(err)
			tokens, err := o.Tokens(ctx, auth.Tocsin)
			o.must(err)
			if got := tokens[0].LastUsedAt; got == nil || !got.Equal(began.Add(step.noted)) {
				t.Errorf("used after %s: noted at %v, want after %s", step.at, got, step.noted)
			}
		}
		// Another process that read the token a moment ago does not write again.
		o.must(st.Access.TouchToken(ctx, made.ID, o.now.Add(time.Second), o.now.Add(-59*time.Second)))
		tokens, err := o.Tokens(ctx, auth.Tocsin)
		o.must(err)
		if got := tokens[0].LastUsedAt; !got.Equal(o.now) {
			t.Errorf("noted at %s, want still %s", got, o.now)
		}
	})
}

func TestTokenGuessingIsLimited(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		secret, _, err := o.CreateToken(ctx, auth.Tocsin, "deploy", auth.Read)
		o.must(err)
		guesses := []string{"", "tok_", secret[:43], secret + "0", "tok_" + strings.Repeat("0", 40)}
		for i := range 50 {
			_, err := o.ByToken(ctx, guesses[i%len(guesses)], "192.0.2.1")
			o.wantKind(err, fault.KindUnauthorized)
		}
		_, err = o.ByToken(ctx, guesses[4], "192.0.2.1")
		o.wantKind(err, fault.KindLimited)
		_, err = o.ByToken(ctx, secret, "192.0.2.1") // a good one is never limited
		o.must(err)
		_, err = o.ByToken(ctx, guesses[4], "192.0.2.2")
		o.wantKind(err, fault.KindUnauthorized)
	})
}

func TestAuditLog(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ada := o.hireWithPassword("ada@acme.test", auth.Administrator)
		ben := o.hire("ben@acme.test", auth.Responder)
		o.must(o.SetRole(ctx, ada.Actor(), ben.ID, auth.Manager))
		_, made, err := o.CreateToken(ctx, ada.Actor(), "deploy", auth.Read)
		o.must(err)
		o.must(o.RevokeToken(ctx, ada.Actor(), made.ID))
		o.wantKind(o.SetActive(ctx, ada.Actor(), ada.ID, false), fault.KindConflict) // what failed leaves no trace

		page := func(q auth.AuditQuery) (lines []string, last int64) {
			t.Helper()
			entries, err := o.AuditLog(ctx, ada.Actor(), q)
			o.must(err)
			for _, e := range entries {
				if !e.At.Equal(o.now) || e.Detail == nil {
					t.Errorf("entry %+v", e)
				}
				lines, last = append(lines, e.Actor+" "+e.Action+" "+e.Subject), e.ID
			}
			return lines, last
		}
		want := []string{
			"ada@acme.test token.revoke token:deploy",
			"ada@acme.test token.create token:deploy",
			"ada@acme.test user.update user:ben@acme.test",
			"tocsin user.create user:ben@acme.test",
			"ada@acme.test user.password user:ada@acme.test",
			"tocsin link.create user:ada@acme.test",
			"tocsin user.create user:ada@acme.test",
		}
		all, _ := page(auth.AuditQuery{})
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("all (-want +got):\n%s", diff)
		}
		var paged []string
		for last := int64(0); ; {
			var lines []string
			if lines, last = page(auth.AuditQuery{Limit: 3, Before: last}); len(lines) == 0 {
				break
			}
			paged = append(paged, lines...)
		}
		if diff := cmp.Diff(want, paged); diff != "" {
			t.Errorf("page by page (-want +got):\n%s", diff)
		}
		if got, _ := page(auth.AuditQuery{Subject: "user:ben@acme.test", Actor: "tocsin"}); len(got) != 1 || got[0] != want[3] {
			t.Errorf("narrowed: %q", got)
		}
		entries, err := o.AuditLog(ctx, auth.Tocsin, auth.AuditQuery{Subject: "user:ben@acme.test", Limit: 1})
		o.must(err)
		if diff := cmp.Diff(map[string]any{"changes": []any{"role manager (was responder)"}}, entries[0].Detail); diff != "" {
			t.Errorf("detail (-want +got):\n%s", diff)
		}
		_, err = o.AuditLog(ctx, ben.Actor(), auth.AuditQuery{})
		o.wantKind(err, fault.KindForbidden)
	})
}

func TestAuditLogIsAppendOnly(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o := openOffice(t, st)
		o.hire("ada@acme.test", auth.Administrator)
		for _, statement := range []string{"UPDATE audit_log SET actor = 'eve'", "DELETE FROM audit_log"} {
			_, err := st.Write.ExecContext(t.Context(), statement)
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v, want it refused", statement, err)
			}
		}
	})
}
