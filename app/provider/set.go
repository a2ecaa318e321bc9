package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Stored are the settings of one provider as the database has them.
type Stored struct {
	Provider  string `gorm:"primaryKey"`
	Sealed    []byte
	UpdatedBy string
	UpdatedAt time.Time
}

// TableName is the table of the settings.
func (Stored) TableName() string { return "provider_settings" }

// Store stores the settings of providers. Each change raises the version and writes
// the audit log. Fault: Conflict where the version is another than the expected one.
type Store interface {
	ProvidersVersion(ctx context.Context) (int64, error)
	Providers(ctx context.Context) (version int64, all []Stored, err error)
	SaveProvider(ctx context.Context, by auth.Actor, s Stored, version int64) error
	RemoveProvider(ctx context.Context, by auth.Actor, provider string, version int64) error
}

// Keys seal secrets: auth.Keyring.
type Keys interface {
	Seal(secret string) []byte
	Unseal(sealed []byte) (string, error)
}

// Source is where the settings of a provider come from.
type Source string

// The sources. Settings of the environment come first, and cannot be changed in the
// browser.
const (
	None        Source = ""
	Environment Source = "environment"
	Browser     Source = "browser"
)

// Setting is a provider with its present settings.
type Setting struct {
	Kind   Kind
	Source Source
	// Values include the secrets.
	Values Values
	// Problem is why no channel could be made of the settings; empty where one was.
	Problem string
	// UpdatedBy and UpdatedAt are of settings of the browser.
	UpdatedBy string
	UpdatedAt time.Time

	account Account
}

// Account is the account of the settings; nil where there is none.
func (s Setting) Account() Account { return s.account }

// Options are what a Set is made of. All are required but those that say otherwise.
type Options struct {
	Config config.Config
	// Store and Keys are nil where only the environment is read.
	Store Store
	Keys  Keys
	// Stand, if not nil, stands in for every provider's channel while none is set up.
	Stand notify.Channel
	// Fixed, if not nil, are the channels in place of all providers': of the demo and
	// of tests.
	Fixed notify.FixedChannels
	Now   func() time.Time
	// Log is told of settings that cannot be used.
	Log *slog.Logger
}

// Set is the providers of an installation. Refresh reads again what another process
// has changed; everything else answers from what was read last. It is safe for
// concurrent use.
type Set struct {
	o       Options
	current atomic.Pointer[snapshot]
	reading sync.Mutex
}

// snapshot is never changed.
type snapshot struct {
	version  int64
	settings []Setting
	channels notify.FixedChannels
	onlyLog  bool
}

var _ notify.Channels = (*Set)(nil)

// NewSet reads the environment's settings. Refresh adds those of the database. A
// setting of the environment that cannot be used is an error.
func NewSet(o Options) (*Set, error) {
	s := &Set{o: o}
	first := s.build(context.Background(), -1, nil)
	for _, setting := range first.settings {
		if setting.Problem != "" && o.Fixed == nil {
			return nil, fault.Invalid("%s", setting.Problem).With(fault.Field{Path: setting.Kind.Variables[0], Message: setting.Problem})
		}
	}
	s.current.Store(first)
	return s, nil
}

// Refresh reads the database's settings where they have changed.
func (s *Set) Refresh(ctx context.Context) error {
	if s.o.Store == nil {
		return nil
	}
	version, err := s.o.Store.ProvidersVersion(ctx)
	if err != nil {
		return err
	}
	if version == s.current.Load().version {
		return nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.current.Load().version >= version {
		return nil
	}
	version, stored, err := s.o.Store.Providers(ctx)
	if err != nil {
		return err
	}
	s.current.Store(s.build(ctx, version, stored))
	return nil
}

// build opens the accounts of all settings. Those that did not change keep their
// account, with its connections.
func (s *Set) build(ctx context.Context, version int64, stored []Stored) *snapshot {
	now := &snapshot{version: version, channels: notify.FixedChannels{}}
	for _, k := range kinds {
		setting := s.read(ctx, k, stored)
		if setting.Source != None && setting.Problem == "" {
			setting.account = s.kept(setting)
			if setting.account == nil {
				account, err := k.Open(setting.Values)
				if err != nil {
					setting.Problem = err.Error()
				} else {
					setting.account = account
				}
			}
		}
		if setting.Problem != "" {
			s.o.Log.ErrorContext(ctx, "provider settings unusable", "provider", k.Name, "source", setting.Source, "error", setting.Problem)
		}
		if setting.account != nil {
			now.channels[k.Medium] = setting.account
		}
		now.settings = append(now.settings, setting)
	}
	switch {
	case s.o.Fixed != nil:
		now.channels = s.o.Fixed
	case !anySet(now.settings):
		now.onlyLog = true
		for _, k := range kinds {
			if s.o.Stand != nil {
				now.channels[k.Medium] = s.o.Stand
			}
		}
	}
	return now
}

func anySet(settings []Setting) bool {
	for _, s := range settings {
		if s.Source != None {
			return true
		}
	}
	return false
}

// read finds the settings of a kind.
func (s *Set) read(ctx context.Context, k Kind, stored []Stored) Setting {
	if v := k.given(s.o.Config); v != nil {
		return Setting{Kind: k, Source: Environment, Values: v}
	}
	for _, row := range stored {
		if row.Provider != k.Name {
			continue
		}
		setting := Setting{Kind: k, Source: Browser, UpdatedBy: row.UpdatedBy, UpdatedAt: row.UpdatedAt}
		text, err := s.o.Keys.Unseal(row.Sealed)
		if err == nil {
			err = json.Unmarshal([]byte(text), &setting.Values)
		}
		if err != nil {
			setting.Problem = "The saved settings cannot be read: TOCSIN_SECRET_KEY is another one than when they were saved. Save them again."
			s.o.Log.ErrorContext(ctx, "unseal provider settings failed", "provider", k.Name, "error", err)
		}
		return setting
	}
	return Setting{Kind: k}
}

// kept is the account of the same settings before.
func (s *Set) kept(setting Setting) Account {
	before := s.current.Load()
	if before == nil {
		return nil
	}
	for _, b := range before.settings {
		if b.Kind.Name == setting.Kind.Name && b.account != nil && equal(b.Values, setting.Values) {
			return b.account
		}
	}
	return nil
}

func equal(a, b Values) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

// Version is that of the settings as they were read last.
func (s *Set) Version() int64 { return s.current.Load().version }

// Channel implements notify.Channels.
func (s *Set) Channel(m notify.Medium) notify.Channel { return s.current.Load().channels.Channel(m) }

// Works reports whether a medium has a channel.
func (s *Set) Works(m notify.Medium) bool { return s.Channel(m) != nil }

// OnlyLog reports whether no provider is set up, so that messages only go to the log.
func (s *Set) OnlyLog() bool { return s.current.Load().onlyLog }

// Value is a setting of a provider; empty where there is none.
func (s *Set) Value(kind, field string) string {
	for _, setting := range s.current.Load().settings {
		if setting.Kind.Name == kind && setting.account != nil {
			return setting.Values[field]
		}
	}
	return ""
}

// Known are the settings as they were read last.
func (s *Set) Known() []Setting { return s.current.Load().settings }

// Settings are those of all kinds as of now, and their version.
func (s *Set) Settings(ctx context.Context, by auth.Actor) (version int64, all []Setting, err error) {
	if err := auth.Allow(by, auth.ManageProviders, auth.Object{}); err != nil {
		return 0, nil, err
	}
	if err := s.Refresh(ctx); err != nil {
		return 0, nil, err
	}
	now := s.current.Load()
	return now.version, now.settings, nil
}

// changeable is the setting of one kind as of now, which may be changed: a fault of kind conflict
// where the environment sets it.
func (s *Set) changeable(ctx context.Context, by auth.Actor, kind string) (Setting, error) {
	if _, err := KindNamed(kind); err != nil {
		return Setting{}, err
	}
	_, all, err := s.Settings(ctx, by)
	if err != nil {
		return Setting{}, err
	}
	for _, setting := range all {
		if setting.Kind.Name != kind {
			continue
		}
		if setting.Source == Environment {
			return Setting{}, fault.Conflict("%s is set by the environment of the server (%s), and is changed there.", setting.Kind.Title, setting.Kind.Variables[0])
		}
		return setting, nil
	}
	return Setting{}, fault.NotFound("There is no provider %q.", kind)
}

// Save saves settings for every process. A secret that is empty stays as it is: see
// Kind.Complete.
func (s *Set) Save(ctx context.Context, by auth.Actor, kind string, typed Values, version int64) error {
	before, err := s.changeable(ctx, by, kind)
	if err != nil {
		return err
	}
	v := before.Kind.Complete(typed, before.Values)
	if _, err := before.Kind.Open(v); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode provider settings: %w", err)
	}
	row := Stored{Provider: kind, Sealed: s.o.Keys.Seal(string(text)), UpdatedBy: by.String(), UpdatedAt: s.o.Now()}
	if err := s.o.Store.SaveProvider(ctx, by, row, version); err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Remove removes settings of the browser.
func (s *Set) Remove(ctx context.Context, by auth.Actor, kind string, version int64) error {
	if _, err := s.changeable(ctx, by, kind); err != nil {
		return err
	}
	if err := s.o.Store.RemoveProvider(ctx, by, kind, version); err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Open makes the account of typed settings, for a test before they are saved. An empty
// secret is the saved one; settings of the environment are taken whole.
func (s *Set) Open(ctx context.Context, by auth.Actor, kind string, typed Values) (Account, error) {
	k, err := KindNamed(kind)
	if err != nil {
		return nil, err
	}
	_, all, err := s.Settings(ctx, by)
	if err != nil {
		return nil, err
	}
	for _, setting := range all {
		if setting.Kind.Name != kind {
			continue
		}
		if setting.Source == Environment {
			return setting.account, nil
		}
		return k.Open(k.Complete(typed, setting.Values))
	}
	return k.Open(k.known(typed))
}
