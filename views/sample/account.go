package sample

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/oncall"
	"github.com/tocsin-oncall/tocsin/views/people"
)

var zones = []string{"America/New_York", "Europe/Berlin", "Europe/London", "Europe/Madrid", "UTC"}

var adding = account.AddContact{Media: []account.Medium{{Name: "sms", Configured: true}, {Name: "email", Configured: true}, {Name: "slack"}}}

func accountPages() []Page {
	own := account.Page{
		Frame: frame("Ana Ortiz", layout.Account), Email: "ana@acme.example", Role: "responder", HasPassword: true, Adding: adding,
		Contacts: []account.Contact{
			{ID: 1, Medium: "sms", Address: "+34 600 000 001", Verified: true, UsedBy: 1},
			{ID: 2, Medium: "email", Address: "ana@acme.example", Verified: true, UsedBy: 2},
			{ID: 3, Medium: "sms", Address: "+34 600 000 002", CodeSentAt: now.Add(-40 * time.Second), Replaces: "+34 600 000 001"},
			{ID: 4, Medium: "slack", Address: "@ana", Verified: true, NotConfigured: true},
			{ID: 5, Medium: "sms", Address: "+44 7700 900002", Verified: true, Stopped: true}},
		High:    account.Rules{Rows: []account.Rule{{ContactID: 1, After: element.Field{Value: "0"}}, {ContactID: 2, After: element.Field{Value: "5"}}}},
		Profile: account.ProfileForm{Name: element.Field{Value: "Ana Ortiz"}, Timezone: element.Field{Value: "Europe/Madrid"}, Default: "Europe/Berlin"},
		Zones:   zones,
		Shifts: []account.Shift{
			{Schedule: payments, Position: "main", Start: now.Add(-time.Hour), End: madridDay(7, 9)},
			{Schedule: payments, Position: "backup", Start: madridDay(14, 9), End: madridDay(21, 9), Override: true}},
	}
	wrong := own
	wrong.Adding.Address = element.Field{Value: "600 000", Error: "Enter the number with its country code, such as +34 600 000 001."}
	wrong.High.Error = "Two rows use the same contact at the same time."
	wrong.High.Rows = []account.Rule{{ContactID: 1, After: element.Field{Value: "soon", Error: "Minutes are a number from 0 to 1440."}}}
	wrong.Contacts = []account.Contact{{ID: 3, Medium: "sms", Address: "+34 600 000 002", CodeSentAt: now.Add(-9 * time.Minute), Code: element.Field{Value: "12345", Error: "That is not the code. Two tries are left."}}}
	wrong.Password.New = element.Field{Error: "A password has at least 12 characters."}
	fresh := own
	fresh.Contacts, fresh.Shifts, fresh.High, fresh.HasPassword = nil, nil, account.Rules{}, false
	everybody := people.ListPage{Frame: administrator("People", layout.People), MayManage: true, People: []people.ListRow{
		{Person: ana, Email: "ana@acme.example", Role: "responder", Teams: []element.Ref{payments}, Active: true, OnCall: true},
		{Person: chiara, Email: "chiara@acme.example", Role: "responder", Teams: []element.Ref{payments, platform}, Active: true, Unreachable: true},
		{Person: dana, Email: "dev.manager@acme.example", Role: "administrator", Active: true},
		{Person: emre, Email: "emre@acme.example", Role: "responder", Active: true, Invited: true, Unreachable: true},
		{Person: goran, Email: "goran@acme.example", Role: "stakeholder"}}}
	everybody.Invitations = &people.Invitations{MayInviteAny: true, Mail: true, Teams: []element.Ref{payments},
		Open: []people.Invitation{{ID: 1, Email: "eve@acme.example", Role: "responder", Team: payments, By: "Dana Levi", ExpiresAt: now.Add(100 * time.Hour)}},
		New:  &people.NewInvitation{Link: "https://tocsin.acme.example/invite/c3VjaC1hLWxvbmctdG9rZW4tdGhhdC1ub2JvZHktZ3Vlc3Nlcw", Email: "eve@acme.example", Sent: true, ExpiresAt: now.Add(168 * time.Hour)}}
	added := everybody
	added.NewLink, added.NewLinkFor = "https://tocsin.acme.example/password/c3VjaC1hLWxvbmctdG9rZW4tdGhhdC1ub2JvZHktZ3Vlc3Nlcw", emre.Name
	added.Adding.Email = element.Field{Value: "emre", Error: "Enter an email address such as ana@example.com."}
	person := people.Page{
		Frame: administrator("Ben Adeyemi", layout.People), Person: ben, Reach: element.Contacts{Phones: []string{"+447700900002"}, Slack: "U0002", Email: "ben@acme.example", MayPage: true}, Pageable: true, Role: "responder", Zone: zone("Europe/London"), Active: true,
		Teams: []element.Ref{payments}, Contacts: []people.ContactKind{{Medium: "sms", Verified: true}, {Medium: "email"}, {Medium: "voice", Verified: true}}, MayManage: true,
		OnCall:   []people.Duty{{Schedule: payments, Position: "backup", Shift: oncall.Holder{Person: ben, From: madridDay(-7, 9), Until: madridDay(0, 9)}}},
		Upcoming: []people.Duty{{Schedule: payments, Position: "main", Shift: oncall.Holder{Person: ben, From: madridDay(0, 9), Until: madridDay(7, 9)}}},
		Form:     people.Form{Name: element.Field{Value: "Ben Adeyemi"}, Role: element.Field{Value: "responder"}},
	}
	gone := people.Page{Frame: frame("Goran Ilić", layout.People), Person: goran, Reach: element.Contacts{Email: "goran@acme.example"}, Role: "stakeholder"}
	return []Page{
		{"account", account.Account(own)},
		{"account-wrong", account.Account(wrong)},
		{"account-fresh", account.Account(fresh)},
		{"people", people.List(everybody)},
		{"people-added", people.List(added)},
		{"person", people.Person(person)},
		{"person-gone", people.Person(gone)},
	}
}
