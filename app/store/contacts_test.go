package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// addressBook is one person's contact methods on one database.
type addressBook struct {
	*notify.Contacts
	*blueprints
	ana *auth.User
}

func openAddressBook(t *testing.T, st *Store) *addressBook {
	t.Helper()
	b := openBlueprints(t, st)
	b.apply(b.example(), trusted)
	ana, err := st.Access.UserByEmail(t.Context(), "ana@acme.example")
	b.must(err)
	return &addressBook{&notify.Contacts{Store: st.Access, Now: st.Now}, b, ana}
}

func (a *addressBook) add(n notify.NewContact) notify.ContactMethod {
	a.t.Helper()
	m, err := a.Add(a.t.Context(), a.ana.Email, a.ana.ID, n)
	a.must(err)
	return m
}

func (a *addressBook) verify(m notify.ContactMethod, code string) error {
	return a.Verify(a.t.Context(), a.ana.Email, a.ana.ID, m.ID, code)
}

// queued are the messages of a kind that wait to be sent, as "address: body".
func (a *addressBook) queued(kind notify.Kind) []string {
	a.t.Helper()
	rows, err := a.db.Read.QueryContext(a.t.Context(), a.db.Rebind("SELECT address, body FROM messages WHERE kind = $1 AND state = 'queued' ORDER BY id"), string(kind))
	a.must(err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var address, body string
		a.must(rows.Scan(&address, &body))
		all = append(all, address+": "+body)
	}
	a.must(rows.Err())
	return all
}

// lastCode is what the last verification message says.
func (a *addressBook) lastCode() string {
	a.t.Helper()
	codes := a.queued(notify.KindVerify)
	if len(codes) == 0 {
		a.t.Fatal("no code was sent")
	}
	_, code, _ := strings.Cut(codes[len(codes)-1], ": ")
	return code
}

// otherThan is a code that is wrong.
func otherThan(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func (a *addressBook) refused(what string, err error, kind fault.Kind) {
	a.t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind {
		a.t.Errorf("%s: the answer is %v, not of kind %s", what, err, kind)
	}
}

func (a *addressBook) methods() []string {
	a.t.Helper()
	methods, err := a.db.Access.ContactMethods(a.t.Context(), a.ana.ID)
	a.must(err)
	var all []string
	for _, m := range methods {
		state := "unverified"
		if m.Usable() {
			state = "in use"
		}
		all = append(all, m.Slug+" "+m.Address+" "+state)
	}
	return all
}

func TestReplacedContactStaysUntilVerified(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		a := openAddressBook(t, st)
		old, err := st.Access.ContactMethods(t.Context(), a.ana.ID)
		a.must(err)
		m := a.add(notify.NewContact{Medium: notify.SMS, Address: "+34 600 000-009", Replaces: old[0].ID})
		a.same("before", []string{"sms +34600000001 in use", "call +34600000001 in use", "mail ana@acme.example in use", "sms-2 +34600000009 unverified"}, a.methods())

		code := a.lastCode()
		before, err := st.Organization.Versions(t.Context())
		a.must(err)
		a.must(a.verify(m, code[:3]+" "+code[3:]))
		a.same("after", []string{"call +34600000001 in use", "mail ana@acme.example in use", "sms +34600000009 in use"}, a.methods())
		after, err := st.Organization.Versions(t.Context())
		a.must(err)
		if after.People <= before.People || after.Config != before.Config {
			t.Errorf("the versions were %+v and are %+v", before, after)
		}
		people := viewOf(t, st).Recipients()
		first, ok := people[a.ana.ID].Notification(0, "high", func(notify.Medium) bool { return true })
		if !ok || first.Method.Address != "+34600000009" {
			t.Errorf("the rule for high urgency uses %q", first.Method.Address)
		}
		const words = ": Your sms contact in Tocsin was replaced. If it was not you, tell an administrator."
		a.same("who was told", []string{"+34600000001" + words, "+34600000001" + words, "ana@acme.example" + words}, a.queued(notify.KindNotice))
		a.refused("the code again", a.verify(m, code), fault.KindConflict)
	})
}

func TestCodeExpiryAndTries(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		a := openAddressBook(t, st)
		m := a.add(notify.NewContact{Medium: notify.Slack, Address: "U024BE7LH"})
		first := a.lastCode()
		a.refused("a code of five digits", a.verify(m, "12345"), fault.KindInvalid)
		for range notify.CodeTries {
			a.refused("a wrong code", a.verify(m, otherThan(first)), fault.KindInvalid)
		}
		a.refused("the right one, too late", a.verify(m, first), fault.KindLimited)

		a.now = a.now.Add(notify.CodeAgain)
		a.must(a.SendCode(t.Context(), a.ana.Email, a.ana.ID, m.ID))
		second := a.lastCode()
		a.now = a.now.Add(notify.CodeLasts)
		a.refused("an expired code", a.verify(m, second), fault.KindGone)

		a.must(a.SendCode(t.Context(), a.ana.Email, a.ana.ID, m.ID))
		third := a.lastCode()
		a.now = a.now.Add(notify.CodeLasts - time.Microsecond)
		a.must(a.verify(m, third))
	})
}

// A code that was never sent, or could not be, is not readable once it has expired.
func TestExpiredCodesAreDeleted(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		a := openAddressBook(t, st)
		for i, state := range []string{"queued", "failed"} {
			m := a.add(notify.NewContact{Medium: notify.SMS, Address: fmt.Sprintf("+3460000010%d", i)})
			_, err := st.Write.ExecContext(t.Context(), st.Rebind("UPDATE messages SET state = $1 WHERE contact_method_id = $2"), state, m.ID)
			a.must(err)
		}
		readable := func() (n int) {
			a.must(st.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM messages WHERE kind = 'verify' AND body <> ''").Scan(&n))
			return n
		}
		a.must(st.Access.SweepAccess(t.Context()))
		if n := readable(); n != 2 {
			t.Errorf("%d codes are readable while they can be used; want 2", n)
		}
		a.now = a.now.Add(notify.CodeLasts)
		a.must(st.Access.SweepAccess(t.Context()))
		if n := readable(); n != 0 {
			t.Errorf("%d codes are readable after they have expired", n)
		}
		if waiting := a.queued(notify.KindVerify); len(waiting) != 0 {
			t.Errorf("%q still wait to be sent", waiting)
		}
	})
}

func TestCodesAreLimited(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		a := openAddressBook(t, st)
		m := a.add(notify.NewContact{Medium: notify.Slack, Address: "U024BE7LH"})
		send := func() error { return a.SendCode(t.Context(), a.ana.Email, a.ana.ID, m.ID) }
		a.refused("another at once", send(), fault.KindLimited)
		for range notify.CodesAnHour - 1 {
			a.now = a.now.Add(notify.CodeAgain)
			a.must(send())
		}
		a.now = a.now.Add(notify.CodeAgain)
		a.refused("one too many", send(), fault.KindLimited)
		a.now = a.now.Add(time.Hour)
		a.must(send())
	})
}

func TestContactsBelongToTheirOwner(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		a := openAddressBook(t, st)
		m := a.add(notify.NewContact{Medium: notify.Slack, Address: "U024BE7LH"})
		ben, err := st.Access.UserByEmail(t.Context(), "ben@acme.example")
		a.must(err)
		a.refused("verified by another", a.Verify(t.Context(), ben.Email, ben.ID, m.ID, a.lastCode()), fault.KindNotFound)
		a.refused("removed by another", a.Remove(t.Context(), ben.Email, ben.ID, m.ID), fault.KindNotFound)
		a.refused("in the rules of another", a.SetRules(t.Context(), ben.Email, ben.ID, []notify.Rule{{Urgency: "high", ContactMethodID: m.ID}}), fault.KindInvalid)
		_, err = a.Add(t.Context(), a.ana.Email, a.ana.ID, notify.NewContact{Medium: notify.Slack, Address: "U024BE7LH"})
		a.refused("the same again", err, fault.KindConflict)
	})
}

func TestRemovedContactDeletesItsRules(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		a := openAddressBook(t, st)
		methods, err := st.Access.ContactMethods(t.Context(), a.ana.ID)
		a.must(err)
		a.must(a.Remove(t.Context(), a.ana.Email, a.ana.ID, methods[0].ID))
		a.same("methods", []string{"call +34600000001 in use", "mail ana@acme.example in use"}, a.methods())
		rules, err := st.Access.Rules(t.Context(), a.ana.ID)
		a.must(err)
		var left []int64
		for _, r := range rules {
			left = append(left, r.ContactMethodID)
		}
		a.same("rules", []int64{methods[1].ID, methods[2].ID}, left)
	})
}

func TestContactsPerPersonAreLimited(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		a := openAddressBook(t, st)
		have, err := st.Access.ContactMethods(t.Context(), a.ana.ID)
		a.must(err)
		for i := len(have); i < notify.MaxContacts; i++ {
			a.must(st.Access.AddContact(t.Context(), a.ana.Email, &notify.ContactMethod{UserID: a.ana.ID, Slug: fmt.Sprint("mail-", i), Medium: notify.Email, Address: fmt.Sprintf("%d@acme.example", i), CreatedAt: st.Now()}))
		}
		if _, err := a.Add(t.Context(), a.ana.Email, a.ana.ID, notify.NewContact{Medium: notify.Email, Address: "more@acme.example"}); !fault.Is(err, fault.KindConflict) {
			t.Errorf("one more: %v", err)
		}
	})
}
