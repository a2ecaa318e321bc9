package store

import (
	"errors"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestNameAndRoleChangeBesideAZoneThatIsNotValid(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ben := o.hire("ben@acme.test", auth.Responder)
		_, err := st.Write.ExecContext(ctx, "UPDATE users SET timezone = 'Europe/Formerly' WHERE email = 'ben@acme.test'")
		o.must(err)
		o.must(o.SetNameAndRole(ctx, auth.Tocsin, ben.ID, " Benno ", auth.Manager))
		got, err := o.User(ctx, auth.Tocsin, ben.ID)
		o.must(err)
		if got.Name != "Benno" || got.Role != auth.Manager || got.Timezone != "Europe/Formerly" {
			t.Errorf("%q, %s, %q", got.Name, got.Role, got.Timezone)
		}
		err = o.SetNameAndRole(ctx, auth.Tocsin, ben.ID, "", "king")
		o.wantKind(err, fault.KindInvalid)
		if f, ok := errors.AsType[*fault.Error](err); !ok || len(f.Fields) != 2 || f.Fields[0].Path != "name" || f.Fields[1].Path != "role" {
			t.Errorf("got %+v", f)
		}
	})
}

func TestHidePhone(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		ben := o.hire("ben@acme.test", auth.Responder)
		chiara := o.hire("chiara@acme.test", auth.Responder)
		o.wantKind(o.SetHidePhone(ctx, chiara.Actor(), ben.ID, true), fault.KindForbidden)
		for range 2 { // the second time it is so already, and leaves no entry
			o.must(o.SetHidePhone(ctx, ben.Actor(), ben.ID, true))
		}
		got, err := o.User(ctx, auth.Tocsin, ben.ID)
		o.must(err)
		if !got.HidePhone {
			t.Error("the number is not hidden")
		}
		entries, err := st.Access.AuditLog(ctx, auth.AuditQuery{Limit: 10})
		o.must(err)
		count := 0
		for _, e := range entries {
			if e.Action == "user.hide_phone" {
				count++
			}
		}
		if count != 1 {
			t.Errorf("%d entries in the audit log, want 1", count)
		}
		o.must(o.SetNameAndRole(ctx, auth.Tocsin, ben.ID, "Benno", auth.Manager)) // keeps it
		if got, err = o.User(ctx, auth.Tocsin, ben.ID); err != nil || !got.HidePhone {
			t.Errorf("after another change the number is hidden: %t, %v", got.HidePhone, err)
		}
	})
}
