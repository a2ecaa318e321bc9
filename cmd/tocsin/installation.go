package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/provider"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// installation is the database and configuration of a command. A server may be running
// on it.
type installation struct {
	config config.Config
	db     *store.Store
	auth   *auth.Service
}

// open opens the installation of the configuration. It creates none: in a wrong
// directory that would be an empty database.
func (c *cli) open(cmd *cobra.Command) (*installation, error) {
	cfg, err := c.config(cmd)
	if err != nil {
		return nil, err
	}
	return openExisting(cmd.Context(), cfg)
}

func openExisting(ctx context.Context, cfg config.Config) (*installation, error) {
	if file := cfg.Database.File; file != "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, fault.NotFound("There is no database %s here. `tocsin serve` makes one, and so does `tocsin migrate`; TOCSIN_DATABASE_URL names another.", file)
		}
	}
	db, err := store.Open(ctx, cfg.Database.URL.Reveal(), store.Options{})
	if err != nil {
		return nil, unreachable(cfg.Database, err)
	}
	in := &installation{config: cfg, db: db, auth: auth.NewService(db.Access, db.Organization.PeopleEditor(), nil, auth.Options{Now: db.Now})}
	current, err := db.Migrated(ctx)
	if err == nil && !current {
		err = fault.Conflict("The schema of %s is not the one that this program needs. `tocsin migrate` brings it up to date.", cfg.Database)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return in, nil
}

// view is the current configuration.
func (in *installation) view(ctx context.Context) (*organization.View, error) {
	works, err := in.works(ctx)
	if err != nil {
		return nil, err
	}
	return in.db.Organization.View(ctx, works)
}

// works reports whether a medium has a channel. While no provider is set up, every
// medium goes to the log.
func (in *installation) works(ctx context.Context) (func(notify.Medium) bool, error) {
	providers, err := in.providers(ctx)
	if err != nil {
		return nil, err
	}
	return func(m notify.Medium) bool { return providers.OnlyLog() || providers.Works(m) }, nil
}

// providers are those of the environment and of the database.
func (in *installation) providers(ctx context.Context) (*provider.Set, error) {
	keys, err := in.keyring()
	if err != nil {
		return nil, err
	}
	providers, err := provider.NewSet(provider.Options{Config: in.config, Store: in.db.Access, Keys: keys, Now: in.db.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return providers, providers.Refresh(ctx)
}

// keyring holds the keys that secrets in the database are sealed with.
func (in *installation) keyring() (*auth.Keyring, error) {
	if err := in.config.EnsureSecretKey(); err != nil {
		return nil, err
	}
	return auth.NewKeyring([]byte(in.config.SecretKey.Reveal()))
}

// with runs a command on the installation.
func (c *cli) with(work func(cmd *cobra.Command, in *installation, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		in, err := c.open(cmd)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.db.Close()) }()
		return work(cmd, in, args)
	}
}
