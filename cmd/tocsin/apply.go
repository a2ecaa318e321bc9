package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func (c *cli) apply() *cobra.Command {
	var file string
	var dryRun, prune bool
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Make the configuration what a file says",
		Long: `Make the configuration what a file says: all of it or nothing. What the file does
not mention stays as it is. docs/examples/acme.yaml shows the format.

Contact methods that the file marks as verified are taken as such.`,
		Example: "  tocsin apply -f acme.yaml --dry-run\n  tocsin export | tocsin apply -f -",
		Args:    arguments(),
		RunE: c.with(func(cmd *cobra.Command, in *installation, _ []string) error {
			name, text, err := readInput(cmd, file)
			if err != nil {
				return err
			}
			return in.apply(cmd, name, text, c.lookup, blueprint.Options{Prune: prune, TrustVerified: true}, dryRun)
		}),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the `FILE` to apply; - reads standard input")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change, and change nothing")
	cmd.Flags().BoolVar(&prune, "prune", false, "delete what a section of the file leaves out; people are deactivated, and what resolved incidents refer to is archived")
	required(cmd, "file")
	return cmd
}

func (in *installation) apply(cmd *cobra.Command, name string, text []byte, lookup func(string) (string, bool), o blueprint.Options, dryRun bool) error {
	file, err := blueprint.Parse(name, text, lookup)
	if err != nil {
		return err
	}
	keys, err := in.keyring()
	if err != nil {
		return err
	}
	editor := in.db.Organization.Editor(keys)
	state, err := editor.State(cmd.Context())
	if err != nil {
		return err
	}
	if state.NoKeyOpens() {
		return state.KeyErr() // with another secret the server could not open the sealed keys
	}
	plan, err := file.Plan(state, o)
	if err != nil {
		return err
	}
	if !dryRun {
		if _, err := editor.Store.Apply(cmd.Context(), auth.Tocsin, plan); err != nil {
			return err
		}
	}
	cmd.Print(plan)
	switch n := len(plan.Changes); {
	case n > 0 && dryRun:
		cmd.Printf("%s would be made; nothing has been changed.\n", counted(n, "change"))
	case n > 0:
		cmd.Printf("%s made.\n", counted(n, "change"))
	}
	return nil
}

// readInput returns a file's text and its name for messages; "-" is standard input.
func readInput(cmd *cobra.Command, file string) (name string, text []byte, err error) {
	if file == "-" {
		text, err = io.ReadAll(cmd.InOrStdin())
		return "standard input", text, err
	}
	text, err = os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fault.NotFound("There is no file %s.", file)
	case err != nil:
		return "", nil, fault.Invalid("The file %s cannot be read.", file).Because(err)
	}
	return file, text, nil
}

// counted is "1 change", "2 changes".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
