package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

func (c *cli) user() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Add people, list them, change roles, let them back in"}
	cmd.AddCommand(c.userAdd(), c.userList(), c.userRole(), c.userLink())
	return cmd
}

func (c *cli) userAdd() *cobra.Command {
	var profile auth.Profile
	var role string
	cmd := &cobra.Command{
		Use:     "add EMAIL --name NAME",
		Short:   "Add a person, and print the link by which they set a password",
		Example: `  tocsin user add ana@example.com --name "Ana Ortiz" --timezone Europe/Madrid`,
		Args:    arguments("EMAIL"),
		RunE: c.with(func(cmd *cobra.Command, in *installation, args []string) error {
			profile.Email, profile.Role = args[0], auth.Role(role)
			u, err := in.auth.CreateUser(cmd.Context(), auth.Tocsin, profile)
			if err != nil {
				return err
			}
			cmd.Printf("%s (%s) is now %s.\n", u.Name, u.Email, withArticle(u.Role))
			return in.link(cmd, u)
		}),
	}
	cmd.Flags().StringVar(&profile.Name, "name", "", "the person's `NAME`")
	cmd.Flags().StringVar(&role, "role", string(auth.Responder), "what they may do, a `ROLE`: stakeholder, responder, manager or administrator")
	cmd.Flags().StringVar(&profile.Timezone, "timezone", "", "their `ZONE`, such as Europe/Madrid (default: the organisation's)")
	required(cmd, "name")
	return cmd
}

func (c *cli) userList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the people",
		Args:  arguments(),
		RunE: c.with(func(cmd *cobra.Command, in *installation, _ []string) error {
			users, err := in.auth.Users(cmd.Context(), auth.Tocsin)
			if err != nil {
				return err
			}
			if len(users) == 0 {
				cmd.Println("There is nobody yet. `tocsin serve` prints the link that creates the administrator.")
				return nil
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "NAME\tEMAIL\tROLE\tSTATE")
			for _, u := range users {
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", u.Name, u.Email, u.Role, standing(u))
			}
			return table.Flush()
		}),
	}
}

func standing(u auth.User) string {
	switch {
	case !u.Active:
		return "deactivated"
	case u.PasswordHash == "":
		return "has set no password"
	}
	return "active"
}

func (c *cli) userRole() *cobra.Command {
	return &cobra.Command{
		Use:   "role EMAIL ROLE",
		Short: "Change what a person may do",
		Long:  "Change what a person may do: stakeholder, responder, manager or administrator.",
		Args:  arguments("EMAIL", "ROLE"),
		RunE: c.with(func(cmd *cobra.Command, in *installation, args []string) error {
			u, err := in.auth.UserByEmail(cmd.Context(), auth.Tocsin, args[0])
			if err != nil {
				return err
			}
			if err := in.auth.SetRole(cmd.Context(), auth.Tocsin, u.ID, auth.Role(args[1])); err != nil {
				return err
			}
			cmd.Printf("%s (%s) is now %s.\n", u.Name, u.Email, withArticle(auth.Role(args[1])))
			return nil
		}),
	}
}

func (c *cli) userLink() *cobra.Command {
	return &cobra.Command{
		Use:   "link EMAIL",
		Short: "Print a one-time link by which a person sets a password",
		Long:  "Print a one-time link by which a person sets a password: an invitation, or the way back in.",
		Args:  arguments("EMAIL"),
		RunE: c.with(func(cmd *cobra.Command, in *installation, args []string) error {
			u, err := in.auth.UserByEmail(cmd.Context(), auth.Tocsin, args[0])
			if err != nil {
				return err
			}
			return in.link(cmd, u)
		}),
	}
}

func withArticle(role auth.Role) string {
	if role == auth.Administrator {
		return "an administrator"
	}
	return "a " + string(role)
}

// link makes a password link and prints it.
func (in *installation) link(cmd *cobra.Command, u *auth.User) error {
	token, expires, err := in.auth.PasswordLink(cmd.Context(), auth.Tocsin, u.ID)
	if err != nil {
		return err
	}
	cmd.Printf("By this link %s sets a password. It works once, until %s UTC:\n  %s/password/%s\n",
		u.Name, expires.UTC().Format("Mon 2 Jan 15:04"), in.publicURL(), token)
	return nil
}

// publicURL is the URL of the server. Where the system chose its port, only the running
// server knows it.
func (in *installation) publicURL() string {
	if in.config.PublicURL == "" {
		return "http://" + in.config.Listen
	}
	return in.config.PublicURL
}
