package store

import (
	"testing"
	"time"
)

func TestSessionsAreStored(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx, s := openOffice(t, st), t.Context(), st.Access.Sessions()
		find := func(token string) string {
			t.Helper()
			data, found, err := s.FindCtx(ctx, token)
			o.must(err)
			if !found {
				return "none"
			}
			return string(data)
		}
		soon := time.Now().Add(time.Hour)
		o.must(s.CommitCtx(ctx, "a", []byte("one"), soon))
		o.must(s.CommitCtx(ctx, "b", []byte("two"), soon))
		o.must(s.CommitCtx(ctx, "a", []byte("three"), soon))
		if got := find("a") + find("b") + find("c"); got != "threetwonone" {
			t.Errorf("found %q", got)
		}
		o.must(s.DeleteCtx(ctx, "a"))
		o.must(s.DeleteCtx(ctx, "a"))
		if got := find("a") + find("b"); got != "nonetwo" {
			t.Errorf("after deleting one, found %q", got)
		}
		o.must(s.CommitCtx(ctx, "b", []byte("two"), time.Now().Add(-time.Millisecond)))
		if got := find("b"); got != "none" {
			t.Errorf("after it expired, found %q", got)
		}
	})
}

func TestExpiredSessionsAreDeleted(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx, s := openOffice(t, st), t.Context(), st.Access.Sessions()
		o.must(s.CommitCtx(ctx, "expired", []byte("data"), time.Now().Add(-time.Second)))
		o.must(s.CommitCtx(ctx, "good", []byte("data"), time.Now().Add(time.Hour)))
		o.now = time.Now().Add(1000 * time.Hour) // a clock that jumps signs nobody out
		o.must(st.Access.SweepAccess(ctx))
		var left string
		o.must(st.Read.QueryRowContext(ctx, "SELECT token FROM sessions").Scan(&left))
		if left != "good" {
			t.Errorf("left is %q, want good", left)
		}
	})
}
