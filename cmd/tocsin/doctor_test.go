package main

import (
	"net"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

func TestDoctor(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		mail, err := far.NewMail(far.MailConfig{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = mail.Close() })
		k.vars["TOCSIN_SMTP_URL"], k.vars["TOCSIN_SMTP_FROM"] = mail.URL(), "tocsin@acme.example"
		k.vars["TOCSIN_PUBLIC_URL"] = "https://tocsin.invalid"
		k.ok("apply", "-f", write(t, healthy))
		got := k.ok("doctor")
		wantWords(t, got, "ok        email: the provider answers and knows us", "ok        database: ", "ok        policies: 1 of 1 reach somebody",
			"ok        administrators: ", "ok        timers: none is late", "ok        schedule Ever: no gap within 14 days",
			"look at   server: Nothing answers at https://tocsin.invalid from here.", "Nothing is broken; 1 thing is worth a look.")
		if len(mail.Messages()) > 0 {
			t.Error("the doctor has sent mail")
		}

		// Eve has only a telephone, which nothing carries, and is alone in hers.
		k.ok("apply", "-f", write(t, ailing))
		s := k.run("doctor")
		if s.code != 1 || s.err != "" {
			t.Errorf("exit %d, errors %q", s.code, s.err)
		}
		wantWords(t, s.out, "BROKEN    policy Lonely: At this moment it reaches nobody", "look at   people: No verified contact method on a channel that works: Eve Eriksen.",
			"look at   schedule Gappy: main has nobody from ", ", and 1", "gaps more within 14 days.",
			"look at   service Orphan: Signals come in for it and it has no escalation policy", "1 thing is broken.")
	})
}

func TestDoctorFindsProblems(t *testing.T) {
	t.Parallel()
	twilio, err := far.NewTwilio(far.TwilioConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = twilio.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, test := range []struct {
		name string
		vars map[string]string
		want []string
	}{
		{"no channel", nil, []string{"BROKEN    channels: None is set up", "BROKEN    administrators: There is none."}},
		{"a setting", map[string]string{"TOCSIN_LISTEN": "here"}, []string{"BROKEN    configuration: The configuration has a problem.", "TOCSIN_LISTEN"}},
		{"no database", map[string]string{"TOCSIN_DATABASE_URL": "sqlite:/nowhere/tocsin.db"}, []string{"BROKEN    database: There is no database /nowhere/tocsin.db here."}},
		{"a password that Twilio refuses", map[string]string{"TOCSIN_TWILIO_ACCOUNT_SID": twilio.AccountSID, "TOCSIN_TWILIO_AUTH_TOKEN": "hunter2",
			"TOCSIN_TWILIO_FROM": twilio.Number, "TOCSIN_TWILIO_BASE_URL": twilio.URL()}, []string{"BROKEN    SMS: ", "look at   public address: http://127.0.0.1:8080 is this machine alone: Twilio cannot"}},
		{"a mail server that is not there", map[string]string{"TOCSIN_SMTP_URL": "smtp://" + closed.Addr().String(), "TOCSIN_SMTP_FROM": "a@acme.example"}, []string{"BROKEN    email: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := empty(t)
			k.ok("migrate")
			for name, value := range test.vars {
				k.vars[name] = value
			}
			s := k.run("doctor")
			if s.code != 1 {
				t.Errorf("exit %d, want 1", s.code)
			}
			wantWords(t, s.out, append(test.want, "broken.")...)
			if strings.Contains(s.out, "hunter2") {
				t.Errorf("a secret is shown:\n%s", s.out)
			}
		})
	}
}

const healthy = `
version: 1
users:
  - {email: dana@acme.example, name: Dana Levi, role: administrator, contacts: [{id: mail, type: email, value: dana@acme.example, verified: true}]}
schedules:
  - {slug: ever, name: Ever, timezone: Europe/Berlin, positions: [main], layers: [{name: one, members: [dana@acme.example]}]}
escalation_policies:
  - {slug: all, name: All, repeat: 0, steps: [{timeout: 5m, targets: [{schedule: ever, position: main}]}]}
`

const ailing = `
version: 1
users:
  - {email: eve@acme.example, name: Eve Eriksen, contacts: [{id: sms, type: sms, value: "+4915100000005", verified: true}]}
schedules:
  - slug: gappy
    name: Gappy
    timezone: UTC
    positions: [main]
    layers: [{name: one, members: [eve@acme.example], restrictions: [{from: "09:00", to: "17:00"}]}]
escalation_policies:
  - {slug: lonely, name: Lonely, repeat: 0, steps: [{timeout: 5m, targets: [{user: eve@acme.example}]}]}
services:
  - {slug: orphan, name: Orphan}
integrations:
  - {slug: orphan, name: Orphan, kind: slo, service: orphan}
`
