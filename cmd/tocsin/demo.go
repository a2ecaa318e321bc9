package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/server"
	"github.com/tocsin-oncall/tocsin/app/store"
	"github.com/tocsin-oncall/tocsin/cmd/tocsin/demo"
)

func (c *cli) demo() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve a lived-in sample organisation",
		Long: `Make a sample organisation with the incidents of ninety days, and serve it. Each
start makes it anew. Nothing leaves this machine: pages only reach the log,
whatever channels are configured.`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.config(cmd)
			if err != nil {
				return err
			}
			log, err := c.logger(cmd.ErrOrStderr(), format)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return serveDemo(ctx, stop, cmd.OutOrStdout(), log, demoConfig(cfg, file))
		},
	}
	cmd.Flags().StringVar(&file, "database", "tocsin-demo.db", "the SQLite `FILE` to make")
	addLogFormat(cmd, &format)
	return cmd
}

// demoConfig has its own database, and no channel.
func demoConfig(cfg config.Config, file string) config.Config {
	return config.Config{
		Listen: cfg.Listen, PublicURL: cfg.PublicURL, TrustedProxies: cfg.TrustedProxies,
		Database: config.Database{File: file, URL: config.NewSecret("sqlite:" + file)},
	}
}

func serveDemo(ctx context.Context, stop func(), out io.Writer, log *slog.Logger, cfg config.Config) error {
	if err := removeDemo(ctx, cfg); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "Living through ninety days of %s. This takes about half a minute.\n", demo.Organization)
	if err := demo.Fill(ctx, cfg, time.Now()); err != nil {
		return errors.Join(err, removeFiles(cfg.Database.File)) // an incomplete sample is of no use
	}
	s, err := server.New(ctx, cfg, log, server.Options{Version: version})
	if err != nil {
		return err
	}
	return listenAndRun(ctx, stop, s, func() error { return welcome(out, s) })
}

// removeDemo deletes an earlier sample. It refuses to delete another database, or one
// that a server is using.
func removeDemo(ctx context.Context, cfg config.Config) error {
	file := cfg.Database.File
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := store.Open(ctx, cfg.Database.URL.Reveal(), store.Options{Exclusive: true})
	if err != nil {
		return unreachable(cfg.Database, err)
	}
	state, err := db.Organization.Load(ctx)
	if err := errors.Join(err, db.Close()); err != nil || state.Organization.Name != demo.Organization {
		return fault.Conflict("%s is no sample that `tocsin demo` has made, so it stays. --database names another file.", file).Because(err)
	}
	return removeFiles(file)
}

func removeFiles(file string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.Conflict("The sample %s cannot be removed.", file+suffix).Because(err)
		}
	}
	return nil
}

// welcome prints the URL and the accounts.
func welcome(out io.Writer, s *server.Server) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s is at %s\n\nSign in as\n\n", demo.Organization, s.PublicURL())
	for _, a := range demo.Accounts {
		fmt.Fprintf(&b, "  %-14s %-20s %s\n", a.Role, a.Email, demo.Password)
	}
	fmt.Fprintf(&b, "\nPages only reach this log. Everybody who has read the source knows the passwords:\nkeep this on your own machine.\n\n")
	_, err := io.WriteString(out, b.String())
	return err
}
