// Package demo makes a sample organisation with people, schedules and the incidents of
// ninety days. It uses the real server, with a clock that starts in the past.
package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	org "github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/server"
)

// Organization is the sample's name. It identifies a database that this package made.
const Organization = "Lumen Books"

// Password is the password of the Accounts. It is public.
const Password = "sample-password"

// Account is an account to sign in with.
type Account struct{ Email, Name, Role string }

// Accounts has one account for each role with a different view.
var Accounts = []Account{
	{"ana@lumen.example", "Ana Ortiz", "responder"},
	{"dana@lumen.example", "Dana Levi", "manager"},
	{"mira@lumen.example", "Mira Patel", "administrator"},
}

//go:embed organization.yaml
var organization []byte

const (
	// past is how long the organisation has had incidents.
	past = 90 * 24 * time.Hour
	// founded is how long before its first incident it was set up.
	founded = 5 * 24 * time.Hour
)

// Fill makes the sample in an empty database, up to now. Links in its messages begin
// with cfg.PublicURL.
func Fill(ctx context.Context, cfg config.Config, now time.Time) (err error) {
	cfg.Listen = "127.0.0.1:0"
	c := &clock{}
	c.set(now.Add(-past - founded))
	s, err := server.New(ctx, cfg, slog.New(slog.DiscardHandler), server.Options{Now: c.Now, Channels: channels()})
	if err != nil {
		return err
	}
	if err := s.Listen(ctx); err != nil {
		return errors.Join(err, s.DB.Close())
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	if err := found(ctx, s); err != nil {
		return fmt.Errorf("create sample organisation: %w", err)
	}
	tale, err := newStory(ctx, s, c)
	if err != nil {
		return err
	}
	tale.write(now)
	if err := tale.play(ctx, s, c, now); err != nil {
		return fmt.Errorf("play sample incidents: %w", err)
	}
	return addOverrides(ctx, s, now)
}

// found applies the organisation's file and sets passwords.
func found(ctx context.Context, s *server.Server) error {
	none := func(string) (string, bool) { return "", false }
	file, err := blueprint.Parse("organization.yaml", organization, none)
	if err != nil {
		return err
	}
	editor := s.DB.Organization.Editor(s.Keys)
	state, err := editor.State(ctx)
	if err != nil {
		return err
	}
	plan, err := file.Plan(state, blueprint.Options{TrustVerified: true})
	if err != nil {
		return err
	}
	if _, err := editor.Store.Apply(ctx, auth.Tocsin, plan); err != nil {
		return err
	}
	for _, a := range Accounts {
		if err := setPassword(ctx, s, a.Email); err != nil {
			return err
		}
	}
	return nil
}

// setPassword sets a person's password by a link, as the person would. The session that
// this starts is not used.
func setPassword(ctx context.Context, s *server.Server, email string) error {
	u, err := s.Auth.UserByEmail(ctx, auth.Tocsin, email)
	if err != nil {
		return err
	}
	token, _, err := s.Auth.PasswordLink(ctx, auth.Tocsin, u.ID)
	if err != nil {
		return err
	}
	session, err := s.Sessions.Load(ctx, "")
	if err != nil {
		return err
	}
	_, err = s.Auth.SetPassword(session, token, Password)
	return err
}

// addOverrides adds overrides of the next weeks: a substitute, and an afternoon with a
// gap.
func addOverrides(ctx context.Context, s *server.Server, now time.Time) error {
	dana, err := s.DB.Access.UserByEmail(ctx, "dana@lumen.example")
	if err != nil {
		return err
	}
	view, err := s.Organization.View(ctx)
	if err != nil {
		return err
	}
	payments, err := view.ScheduleBySlug("payments")
	if err != nil {
		return err
	}
	editor := s.DB.Organization.Editor(s.Keys)
	evening := now.Truncate(24 * time.Hour).Add(3*24*time.Hour + 17*time.Hour)
	if on := payments.Schedule.OnCall(evening, "main"); len(on) > 0 {
		backup := payments.Schedule.OnCall(evening, "backup")
		_, err := editor.Edit(ctx, dana.Actor(), &org.AddOverride{Schedule: "payments", Override: org.Override{
			From: org.MomentIn(evening, "UTC"), To: org.MomentIn(evening.Add(14*time.Hour), "UTC"), Position: "main", Reason: "A concert",
			Replace: view.User(int64(on[0].Person)).Email, With: view.User(int64(otherThan(on[0].Person, backup))).Email,
		}})
		if err != nil {
			return err
		}
	}
	afternoon := now.Truncate(24 * time.Hour).Add(6*24*time.Hour + 12*time.Hour)
	_, err = editor.Edit(ctx, dana.Actor(), &org.AddOverride{Schedule: "storefront", Override: org.Override{
		From: org.MomentIn(afternoon, "UTC"), To: org.MomentIn(afternoon.Add(4*time.Hour), "UTC"), Position: "backup", Remove: org.Everyone, Reason: "Team afternoon",
	}})
	return err
}

// otherThan is somebody on call who is not the one given.
func otherThan(person oncall.Person, shifts []oncall.Shift) oncall.Person {
	for _, shift := range shifts {
		if shift.Person != person && !shift.Shadow {
			return shift.Person
		}
	}
	return person
}
