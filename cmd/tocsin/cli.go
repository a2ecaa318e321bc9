package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/config"
)

// cli is the state that all commands share.
type cli struct {
	lookup  func(string) (string, bool)
	verbose bool
	// started is set when a command begins: an error before that is a usage error.
	started bool
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tocsin",
		Short: "Page whoever is on call",
		Long: `Tocsin turns SLO breaches into incidents and pages whoever is on call until
somebody acknowledges.

Every setting is a variable TOCSIN_… and a flag. Without any, it works on
./tocsin.db.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args:              cobra.NoArgs,
	}
	config.Register(root.PersistentFlags())
	root.PersistentFlags().BoolVar(&c.verbose, "verbose", false, "say more: the causes of errors, and debug lines in the log")
	root.PersistentFlags().SortFlags = false
	root.AddCommand(c.serve(), c.apply(), c.export(), c.oncall(), c.simulate(), c.user(), c.token(), c.migrate(), c.doctor(), c.demo(), versionCommand())
	c.markStarted(root)
	return root
}

// markStarted makes every command set started after its arguments and flags were
// checked.
func (c *cli) markStarted(cmd *cobra.Command) {
	if work := cmd.RunE; work != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			c.started = true
			return work(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		c.markStarted(sub)
	}
}

func (c *cli) config(cmd *cobra.Command) (config.Config, error) {
	return config.Load(cmd.Flags(), c.lookup)
}

// arguments requires exactly the named arguments.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for i, name := range names {
			if i >= len(args) {
				return fmt.Errorf("missing argument %s: %s", name, cmd.UseLine())
			}
		}
		if len(args) > len(names) {
			return fmt.Errorf("unexpected argument %q: %s", args[len(names)], cmd.UseLine())
		}
		return nil
	}
}

// required marks flags of a command as required.
func required(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // there is no such flag
		}
	}
}
