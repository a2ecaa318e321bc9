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
