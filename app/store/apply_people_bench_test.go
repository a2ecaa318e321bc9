package store

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
)

// BenchmarkApplyPeople applies a file of 3,000 people in 300 teams to an empty
// database, as a whole: it is read, planned and written. "again" applies it once more,
// which changes nothing.
func BenchmarkApplyPeople(b *testing.B) {
	text := peopleFile(3000)
	for name, address := range map[string]func(testing.TB) string{"sqlite": newSQLite, "postgres": newPostgres} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				st, keys := benchStore(b, address(b))
				b.StartTimer()
				applyFile(b, st, keys, text)
			}
		})
		b.Run(name+"/again", func(b *testing.B) {
			st, keys := benchStore(b, address(b))
			applyFile(b, st, keys, text)
			for b.Loop() {
				applyFile(b, st, keys, text)
			}
		})
	}
}

func benchStore(b *testing.B, address string) (*Store, *auth.Keyring) {
	b.Helper()
	st, err := Open(context.Background(), address, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	keys, err := auth.NewKeyring(bytes.Repeat([]byte{7}, auth.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	return st, keys
}

func applyFile(b *testing.B, st *Store, keys *auth.Keyring, text string) {
	b.Helper()
	f, err := blueprint.Parse("people.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	editor := st.Organization.Editor(keys)
	state, err := editor.State(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	plan, err := f.Plan(state, blueprint.Options{TrustVerified: true})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := editor.Store.Apply(context.Background(), auth.Actor{}, plan); err != nil {
		b.Fatal(err)
	}
}

// peopleFile has people with two contacts and three rules each, in teams of ten.
func peopleFile(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\nusers:\n")
	email := func(i int) string { return fmt.Sprintf("person%d@acme.example", i) }
	for i := range n {
		fmt.Fprintf(&b, "  - {email: %s, name: Person %d, role: responder, timezone: Europe/Berlin,\n", email(i), i)
		fmt.Fprintf(&b, "     contacts: [{id: sms, type: sms, value: \"+49151%08d\", verified: true}, {id: mail, type: email, value: %s, verified: true}],\n", i, email(i))
		b.WriteString("     rules: [{urgency: high, after: 0s, contact: sms}, {urgency: high, after: 5m, contact: mail}, {urgency: low, after: 0s, contact: mail}]}\n")
	}
	b.WriteString("teams:\n")
	for i := 0; i < n; i += 10 {
		members := make([]string, 0, 10)
		for j := i; j < min(i+10, n); j++ {
			members = append(members, email(j))
		}
		fmt.Fprintf(&b, "  - {slug: team-%d, name: Team %d, members: [%s]}\n", i/10, i/10, strings.Join(members, ", "))
	}
	return b.String()
}
