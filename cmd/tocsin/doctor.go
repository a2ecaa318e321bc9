package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/provider"
)

// errUnwell is returned where the doctor has printed a finding that stops pages.
var errUnwell = errors.New("doctor found a problem that stops pages")

func (c *cli) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check everything that pages depend on",
		Long: `Check everything that pages depend on: the configuration, the database, the
channels, the public address, and whether each policy reaches somebody. It sends
nothing to anybody. The exit code is 1 where something is broken.`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &diagnosis{out: cmd.OutOrStdout(), verbose: c.verbose}
			if cfg, err := c.config(cmd); err != nil {
				d.fault("configuration", err)
			} else {
				d.ok("configuration", "every setting can be read")
				d.examine(cmd.Context(), cfg)
			}
			return d.conclude()
		},
	}
}

// diagnosis prints findings as they are made: a line each, with the remedy below.
type diagnosis struct {
	out            io.Writer
	verbose        bool
	broken, doubts int
}

func (d *diagnosis) say(mark, subject, format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n"+strings.Repeat(" ", 10))
	_, _ = fmt.Fprintf(d.out, "%-8s  %s: %s\n", mark, subject, text)
}

// ok prints a finding without a problem.
func (d *diagnosis) ok(subject, format string, args ...any) { d.say("ok", subject, format, args...) }

// warning prints a problem that stops no page.
func (d *diagnosis) warning(subject, format string, args ...any) {
	d.doubts++
	d.say("look at", subject, format, args...)
}

// problem prints a problem that stops pages.
func (d *diagnosis) problem(subject, format string, args ...any) {
	d.broken++
	d.say("BROKEN", subject, format, args...)
}

// fault prints an error that stops pages.
func (d *diagnosis) fault(subject string, err error) {
	var words strings.Builder
	printError(&words, err, d.verbose)
	d.problem(subject, "%s", strings.TrimSpace(words.String()))
}

func (d *diagnosis) conclude() error {
	switch {
	case d.broken > 0:
		_, _ = fmt.Fprintf(d.out, "\n%s broken.\n", are(d.broken, "thing"))
		return errUnwell
	case d.doubts > 0:
		_, _ = fmt.Fprintf(d.out, "\nNothing is broken; %s worth a look.\n", are(d.doubts, "thing"))
	default:
		_, _ = fmt.Fprintln(d.out, "\nAll is well.")
	}
	return nil
}

// are is "1 thing is", "2 things are".
func are(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " is"
	}
	return counted(n, thing) + " are"
}

// examine runs all checks that the findings so far allow.
func (d *diagnosis) examine(ctx context.Context, cfg config.Config) {
	for _, name := range config.Unknown(os.Environ()) {
		d.warning("settings", "%s is no setting of Tocsin and does nothing; `tocsin help serve` lists them.", name)
	}
	in, err := openExisting(ctx, cfg)
	providers, failure := d.providers(ctx, cfg, in)
	if failure != nil {
		d.fault("channels", failure)
	} else {
		d.channels(ctx, providers)
		d.publicAddress(ctx, cfg, providers.Value("twilio", provider.TwilioToken) != "")
	}
	if err != nil {
		d.fault("database", err)
		return
	}
	defer func() { _ = in.db.Close() }()
	if !d.database(ctx, in) {
		return
	}
	if err := d.outages(ctx, in); err != nil {
		d.fault("channels", err)
	}
	if err := d.effects(ctx, in); err != nil {
		d.fault("effects", err)
	}
	if err := d.people(ctx, in); err != nil {
		d.fault("who is paged", err)
	}
}

// providers are those of the environment and, where there is a database, of the
// browser.
func (d *diagnosis) providers(ctx context.Context, cfg config.Config, in *installation) (*provider.Set, error) {
	if in != nil {
		return in.providers(ctx)
	}
	return provider.NewSet(provider.Options{Config: cfg, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

// database checks the database, and reports whether further checks can use it.
func (d *diagnosis) database(ctx context.Context, in *installation) bool {
	if err := in.db.Heartbeat(ctx, "doctor"); err != nil {
		d.fault("database", fault.Unavailable("%s cannot be written to. Check its rights and the room on its disk.", in.config.Database).Because(err))
		return false
	}
	d.ok("database", "%s answers, can be written to, and has the right schema", in.config.Database)
	if _, err := in.keyring(); err != nil {
		d.fault("secret key", err)
		return false
	}
	return true
}

// sorted are the keys of a set.
func sorted(set map[string]bool) []string {
	var keys []string
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
