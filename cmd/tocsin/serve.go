package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/server"
)

func (c *cli) serve() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the web application, take signals and page",
		Long: `Serve the web application, take signals and page, until SIGTERM or SIGINT: then it
finishes what it has begun. A second signal ends it at once.

Several servers may share one PostgreSQL. A SQLite file is for one.`,
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
			for _, name := range config.Unknown(os.Environ()) {
				log.WarnContext(cmd.Context(), "unknown environment variable; `tocsin help serve` lists the settings", "variable", name)
			}
			setMemory()
			// With the signal ignored, a write beyond the file size limit returns an
			// error,
			// like that of a full disk, and does not end the process.
			signal.Ignore(syscall.SIGXFSZ)
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			s, err := server.New(ctx, cfg, log, server.Options{Version: version})
			if err != nil {
				return unreachable(cfg.Database, err)
			}
			return listenAndRun(ctx, stop, s, func() error { return greet(ctx, cmd.OutOrStdout(), s) })
		},
	}
	addLogFormat(cmd, &format)
	return cmd
}

// listenAndRun serves until ctx ends. A second signal, during the shutdown, ends the
// process.
func listenAndRun(ctx context.Context, stop func(), s *server.Server, ready func() error) error {
	if err := s.Listen(ctx); err != nil {
		return errors.Join(bindError(s.Config.Listen, err), s.DB.Close())
	}
	if err := ready(); err != nil {
		return errors.Join(err, s.DB.Close())
	}
	context.AfterFunc(ctx, stop)
	return s.Run(ctx)
}

// bindError is the fault of an address that could not be bound.
func bindError(address string, err error) error {
	const other = "TOCSIN_LISTEN or --listen names another, such as 127.0.0.1:8081."
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fault.Conflict("Something listens on %s already, perhaps another Tocsin. %s", address, other).Because(err)
	case errors.Is(err, syscall.EACCES):
		return fault.Forbidden("This user may not listen on %s: ports below 1024 need more rights. %s", address, other).Because(err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fault.Invalid("This machine has no address %s. %s", address, other).Because(err)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return fault.Invalid("The name in %s is not known here. %s", address, other).Because(err)
	}
	return err
}

func addLogFormat(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVar(format, "log-format", "", "`FORMAT` of the log: text or json (default: text on a terminal, else json)")
}

// logger writes to w, in the given format or by default as text to a terminal and as
// JSON elsewhere.
func (c *cli) logger(w io.Writer, format string) (*slog.Logger, error) {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if c.verbose {
		o.Level = slog.LevelDebug
	}
	if format == "" {
		format = "json"
		if isTerminal(w) {
			format = "text"
		}
	}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fault.Invalid("%q is no format of the log: it is text or json.", format)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// greet prints the URL, the link that creates the administrator while there is none,
// and
// the channels.
func greet(ctx context.Context, w io.Writer, s *server.Server) error {
	token, err := s.Auth.SetupLink(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Tocsin is at %s\n", s.PublicURL())
	if token != "" {
		fmt.Fprintf(&b, "\nThere is no administrator yet. Whoever opens this link becomes it; it works once, within a day:\n\n  %s/setup/%s\n", s.PublicURL(), token)
	}
	fmt.Fprintf(&b, "\n%s\n\n", reach(s.Config))
	_, err = io.WriteString(w, b.String())
	return err
}

// reach is the channels of pages, as text.
func reach(cfg config.Config) string {
	var names []string
	for medium, configured := range cfg.Channels() {
		if configured {
			names = append(names, map[string]string{"email": "email", "sms": "SMS", "slack": "Slack"}[medium])
		}
	}
	if len(names) == 0 {
		return "No channel is configured, so pages only reach this log. TOCSIN_SMTP_URL, TOCSIN_TWILIO_… and\nTOCSIN_SLACK_BOT_TOKEN change that: see README.md, and `tocsin doctor`."
	}
	slices.Sort(names)
	return "Pages leave by " + joined(names) + "."
}

// joined is "a", "a and b", "a, b and c".
func joined(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
