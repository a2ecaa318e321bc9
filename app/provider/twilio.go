package provider

import (
	"strings"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
)

// TwilioToken is the field with the token that Twilio signs its callbacks with.
const TwilioToken = "auth-token"

var twilioSMS = Kind{
	Name:      "twilio",
	Title:     "SMS (Twilio)",
	Help:      "The account SID and the auth token are on the first page of the Twilio Console, under Account Info. The number is under Phone Numbers.",
	Medium:    notify.SMS,
	Variables: []string{"TOCSIN_TWILIO_ACCOUNT_SID", "TOCSIN_TWILIO_AUTH_TOKEN", "TOCSIN_TWILIO_FROM"},
	Fields: []Field{
		{Name: "account-sid", Label: "Account SID", Hint: "Begins with AC."},
		{Name: TwilioToken, Label: "Auth token", Secret: true},
		{Name: "from", Label: "Sender", Hint: "A number of the account with its country code, a short code, or a messaging service (MG…)."},
		{Name: "base-url", Label: "Gateway", Hint: "Only for a gateway with Twilio’s API: its address. Empty for Twilio.", Optional: true, Rare: true},
	},
	given: func(c config.Config) Values {
		if c.Twilio.AuthToken.IsZero() {
			return nil
		}
		return Values{"account-sid": c.Twilio.AccountSID, TwilioToken: c.Twilio.AuthToken.Reveal(), "from": c.Twilio.From, "base-url": c.Twilio.BaseURL}
	},
	open: func(v Values) (Account, error) {
		from := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(v["from"])
		if !config.IsTwilioSender(from) {
			return nil, invalid("from", "Enter a number such as +4915112345678, a short code, or a messaging service (MG…).")
		}
		account, err := twilio.New(twilio.Config{AccountSID: v["account-sid"], AuthToken: v[TwilioToken], From: from, BaseURL: v["base-url"]})
		if err != nil {
			return nil, invalid("base-url", "Enter an http or https address.")
		}
		return account, nil
	},
}
