package provider

import (
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/email"
)

var smtp = Kind{
	Name:      "smtp",
	Title:     "Email (SMTP)",
	Help:      "Your mail provider lists these under SMTP, outgoing mail or relay. Google Workspace, Microsoft 365, Amazon SES and Postmark all have them.",
	Medium:    notify.Email,
	Variables: []string{"TOCSIN_SMTP_URL", "TOCSIN_SMTP_FROM"},
	Fields: []Field{
		{Name: "host", Label: "Server", Hint: "Such as smtp.example.com."},
		{Name: "port", Label: "Port", Hint: "587 for STARTTLS, 465 for TLS.", Default: "587"},
		{Name: "security", Label: "Encryption", Default: string(email.Required), Options: []Option{
			{string(email.Required), "STARTTLS, required"},
			{string(email.Implicit), "TLS from the start"},
			{string(email.Optional), "STARTTLS where the server offers it"},
			{string(email.Off), "None, not even for the password"},
		}},
		{Name: "user", Label: "User name", Hint: "Leave it empty for a server that needs no sign-in.", Optional: true},
		{Name: "password", Label: "Password", Secret: true, Optional: true},
		{Name: "from", Label: "Sender", Hint: "Such as Tocsin <tocsin@example.com>. The server must allow it."},
	},
	given: func(c config.Config) Values {
		if c.SMTP.URL.IsZero() {
			return nil
		}
		// The configuration was checked when it was read; what the URL has beyond
		// that is reported by open.
		server, err := email.ParseURL(c.SMTP.URL.Reveal())
		if err != nil {
			return Values{"host": "", "from": c.SMTP.From}
		}
		return Values{"host": server.Host, "port": strconv.Itoa(server.Port), "security": string(server.Security),
			"user": server.User, "password": server.Password(), "from": c.SMTP.From}
	},
	open: func(v Values) (Account, error) {
		port, err := strconv.Atoi(v["port"])
		switch {
		case err != nil || port < 1 || port > 65535:
			return nil, invalid("port", "A port is a number from 1 to 65535.")
		case strings.ContainsAny(v["host"], "/:@ ") && !strings.HasPrefix(v["host"], "["):
			return nil, invalid("host", "Enter the name of the server alone, such as smtp.example.com.")
		case (v["user"] == "") != (v["password"] == ""):
			const message = "A user name and a password go together."
			return nil, fault.Invalid(message).With(fault.Field{Path: "user", Message: message}, fault.Field{Path: "password", Message: message})
		}
		server := email.Server{Host: strings.Trim(v["host"], "[]"), Port: port, User: v["user"], Security: email.Security(v["security"])}
		sender, err := email.New(email.Config{Server: server.WithPassword(v["password"]), From: v["from"]})
		if err != nil {
			return nil, invalid("from", "Enter an address such as tocsin@example.com or Tocsin <tocsin@example.com>.")
		}
		return sender, nil
	},
}
