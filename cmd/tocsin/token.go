package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func (c *cli) token() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Make, list and revoke API tokens"}
	cmd.AddCommand(c.tokenCreate(), c.tokenList(), c.tokenRevoke())
	return cmd
}

func (c *cli) tokenCreate() *cobra.Command {
	var name, scope string
	cmd := &cobra.Command{
		Use:   "create --name NAME --scope SCOPE",
		Short: "Make an API token and print it, this once",
		Long: `Make an API token and print it: alone on the standard output, so that a script
can take it. It is kept nowhere.`,
		Args: arguments(),
		RunE: c.with(func(cmd *cobra.Command, in *installation, _ []string) error {
			secret, token, err := in.auth.CreateToken(cmd.Context(), auth.Tocsin, name, auth.Role(scope))
			if err != nil {
				return err
			}
			cmd.Println(secret)
			cmd.PrintErrf("The token %s is made, with the scope %s. It is shown this once and kept nowhere.\n", token.Name, token.Scope)
			return nil
		}),
	}
	cmd.Flags().StringVar(&name, "name", "", "what records call it, a `NAME` of its own for ever")
	cmd.Flags().StringVar(&scope, "scope", "", "what it may do, a `SCOPE`: read, stakeholder, responder, manager or administrator")
	required(cmd, "name", "scope")
	return cmd
}

func (c *cli) tokenList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the API tokens",
		Args:  arguments(),
		RunE: c.with(func(cmd *cobra.Command, in *installation, _ []string) error {
			tokens, err := in.auth.Tokens(cmd.Context(), auth.Tocsin)
			if err != nil {
				return err
			}
			if len(tokens) == 0 {
				cmd.Println("There are no API tokens. `tocsin token create` makes one.")
				return nil
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "NAME\tSCOPE\tMADE\tLAST USED\tSTATE")
			for _, t := range tokens {
				state := "active"
				if t.RevokedAt != nil {
					state = "revoked " + day(*t.RevokedAt)
				}
				used := "never"
				if t.LastUsedAt != nil {
					used = day(*t.LastUsedAt)
				}
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s by %s\t%s\t%s\n", t.Name, t.Scope, day(t.CreatedAt), t.CreatedBy, used, state)
			}
			return table.Flush()
		}),
	}
}

func (c *cli) tokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "End an API token for good",
		Args:  arguments("NAME"),
		RunE: c.with(func(cmd *cobra.Command, in *installation, args []string) error {
			tokens, err := in.auth.Tokens(cmd.Context(), auth.Tocsin)
			if err != nil {
				return err
			}
			for _, t := range tokens {
				if t.Name != args[0] {
					continue
				}
				if err := in.auth.RevokeToken(cmd.Context(), auth.Tocsin, t.ID); err != nil {
					return err
				}
				cmd.Printf("The token %s is revoked.\n", t.Name)
				return nil
			}
			return fault.NotFound("No token is called %s. `tocsin token list` names them.", args[0])
		}),
	}
}

// day is a date in UTC, like all dates of the command line.
func day(at time.Time) string { return at.UTC().Format(time.DateOnly) }
