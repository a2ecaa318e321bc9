package server_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/provider"
	"github.com/tocsin-oncall/tocsin/app/server"
)

// Settings that one process saves take effect in the others without a restart.
func TestProvidersChangeInEveryProcess(t *testing.T) {
	t.Parallel()
	h := harness.NewWithoutChannels(t, harness.Postgres(t))
	other, err := server.New(t.Context(), h.Server.Config, slog.New(slog.DiscardHandler), server.Options{Now: h.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.DB.Close() })
	if !other.Providers.OnlyLog() || !other.Providers.Works(notify.SMS) || other.Providers.Works(notify.Voice) {
		t.Fatal("without a provider the log stands in for those that can be set up")
	}
	settings := provider.Values{"account-sid": h.Twilio.AccountSID, "auth-token": h.Twilio.AuthToken, "from": h.Twilio.Number, "base-url": h.Twilio.URL()}
	save := func(version int64, v provider.Values) error {
		return h.Server.Providers.Save(t.Context(), auth.Tocsin, "twilio", v, version)
	}
	if err := save(0, settings); err != nil {
		t.Fatal(err)
	}
	if err := save(0, settings); !fault.Is(err, fault.KindConflict) {
		t.Errorf("a change of an old version: %v", err)
	}
	idle := func() {
		t.Helper()
		if err := other.RunUntilIdle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	idle()
	if other.Providers.OnlyLog() || !other.Providers.Works(notify.SMS) || other.Providers.Works(notify.Email) {
		t.Error("the other process does not know the new channel")
	}
	var sealed []byte
	if err := other.DB.Read.QueryRowContext(t.Context(), "SELECT sealed FROM provider_settings").Scan(&sealed); err != nil || bytes.Contains(sealed, []byte(h.Twilio.AuthToken)) {
		t.Errorf("the token is readable in the database, or %v", err)
	}
	// An empty secret is the saved one, but only for the same account.
	kept := provider.Values{"account-sid": h.Twilio.AccountSID, "from": h.Twilio.Number, "base-url": h.Twilio.URL()}
	if err := save(1, kept); err != nil {
		t.Errorf("without the token: %v", err)
	}
	kept["base-url"] = "https://elsewhere.example.com"
	if err := save(2, kept); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("the token went to another server: %v", err)
	}
	if err := h.Server.Providers.Remove(t.Context(), auth.Tocsin, "twilio", 2); err != nil {
		t.Fatal(err)
	}
	idle()
	if !other.Providers.OnlyLog() {
		t.Error("the other process still uses a channel that was removed")
	}
}

// Settings of the environment come first and are not changed in the browser.
func TestEnvironmentLocksProvider(t *testing.T) {
	harness.ForEach(t, "", func(t *testing.T, h *harness.Harness) {
		err := h.Server.Providers.Save(t.Context(), auth.Tocsin, "slack", provider.Values{"bot-token": "xoxb-2"}, 0)
		if !fault.Is(err, fault.KindConflict) {
			t.Errorf("saved over the environment: %v", err)
		}
		manager := auth.Actor{Kind: auth.Person, UserID: 1, Role: auth.Manager}
		if err := h.Server.Providers.Save(t.Context(), manager, "slack", nil, 0); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("a manager: %v", err)
		}
	})
}

// What is saved with another secret key is named, and stops nothing else.
func TestProviderOfAnotherKey(t *testing.T) {
	t.Parallel()
	h := harness.NewWithoutChannels(t, harness.Postgres(t))
	if err := h.Server.Providers.Save(t.Context(), auth.Tocsin, "slack", provider.Values{"bot-token": "xoxb-1"}, 0); err != nil {
		t.Fatal(err)
	}
	cfg := h.Server.Config
	cfg.SecretKey = config.NewSecret("another key of thirty-two bytes.")
	other, err := server.New(t.Context(), cfg, slog.New(slog.DiscardHandler), server.Options{Now: h.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.DB.Close() })
	for _, s := range other.Providers.Known() {
		if s.Kind.Name == "slack" && s.Problem == "" {
			t.Error("settings of another key have no problem")
		}
	}
	if other.Providers.Works(notify.Slack) || other.Providers.OnlyLog() {
		t.Error("a provider that cannot be read works, or counts as none")
	}
}
