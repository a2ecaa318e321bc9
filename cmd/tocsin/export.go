package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func (c *cli) export() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the configuration as a file",
		Long: `Write the configuration as a file that, applied again, changes nothing. What is not
set is left out: applied later, the file brings back what was changed since, and
takes nothing away that was added since. To go back altogether, restore a backup
of the database.

It holds the keys of integrations and everybody's telephone numbers: keep it as
you would keep a password.`,
		Args: arguments(),
		RunE: c.with(func(cmd *cobra.Command, in *installation, _ []string) error {
			keys, err := in.keyring()
			if err != nil {
				return err
			}
			state, err := in.db.Organization.Editor(keys).State(cmd.Context())
			if err != nil {
				return err
			}
			if err := state.KeyErr(); err != nil {
				return err // with another secret the exported keys would be wrong
			}
			text := blueprint.Export(state)
			if file == "" {
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			if err := os.WriteFile(file, text, 0o600); err != nil {
				return fault.Invalid("The file %s cannot be written.", file).Because(err)
			}
			return nil
		}),
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "the `FILE` to write, for its owner alone (default: standard output)")
	return cmd
}
