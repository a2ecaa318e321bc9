package incidents

import (
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func TestTargetSentence(t *testing.T) {
	t.Parallel()
	zoe, ana, ben := element.Person{ID: 1, Name: "Zoë Ångström"}, element.Person{ID: 2, Name: "Ana Ortiz"}, element.Person{ID: 3, Name: "Ben Adeyemi"}
	for _, test := range []struct {
		targets []string
		people  []element.Person
		want    string
	}{
		{[]string{"Zoë Ångström"}, []element.Person{zoe}, "Zoë Ångström"},
		{[]string{"Zoë Ångström", "Ana Ortiz"}, []element.Person{ana, zoe}, "Ana Ortiz and Zoë Ångström"},
		{[]string{"main on call in Payments"}, []element.Person{ana}, "main on call in Payments is Ana Ortiz"},
		{[]string{"main on call in Payments"}, []element.Person{ana, ben}, "main on call in Payments are Ana Ortiz and Ben Adeyemi"},
		{[]string{"the manager of Payments"}, []element.Person{ana}, "the manager of Payments is Ana Ortiz"},
		{[]string{"everyone in Payments"}, []element.Person{ana, ben}, "everyone in Payments (Ana Ortiz and Ben Adeyemi)"},
		{[]string{"every administrator"}, []element.Person{ana}, "every administrator (Ana Ortiz)"},
		{[]string{"main on call in Payments", "Zoë Ångström"}, []element.Person{ana, zoe}, "main on call in Payments and Zoë Ångström (Ana Ortiz and Zoë Ångström)"},
		{[]string{"everyone in Payments"}, nil, "everyone in Payments"},
	} {
		var b strings.Builder
		if err := stand(test.targets, test.people).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if got := strings.NewReplacer("<strong>", "", "</strong>", "").Replace(b.String()); got != test.want {
			t.Errorf("%v: %q, want %q", test.targets, got, test.want)
		}
	}
}

func TestUnreachedTargetReasons(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"Noel Phone":               "Noel Phone has no verified contact on a working channel",
		"main on call in Payments": "nobody who can be reached is main on call in Payments",
		"everyone in Payments":     "nobody in Payments can be reached",
		"the manager of Payments":  "the manager of Payments cannot be reached, or there is none",
		"every administrator":      "no administrator can be reached",
	} {
		if got := unreached([]string{target}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What a provider's library says is for the log.
func TestProviderErrorWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ medium, said, want string }{
		{"sms", "Post \"http://127.0.0.1:9/x\": dial tcp 127.0.0.1:9: connect: connection refused", "Twilio could not be reached"},
		{"email", "dial tcp: lookup mail.example.com: no such host", "The mail server could not be reached"},
		{"slack", "context deadline exceeded", "Slack did not answer in time"},
		{"email", "mailbox full", "mailbox full"},
		{"sms", "", ""},
	} {
		if got := (Attempt{Medium: test.medium, Error: test.said}).reason(); got != test.want {
			t.Errorf("%s: %q, want %q", test.medium, got, test.want)
		}
	}
}
