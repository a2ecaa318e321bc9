package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/store"
)

func (c *cli) migrate() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Long: `Bring the database's schema up to date, or make it. ` + "`tocsin serve`" + ` does so by itself
when it starts; replicas wait for each other.`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := c.config(cmd)
			if err != nil {
				return err
			}
			// The key is made first, since the database cannot be used without it.
			if err := cfg.EnsureSecretKey(); err != nil {
				return err
			}
			db, err := store.Open(cmd.Context(), cfg.Database.URL.Reveal(), store.Options{})
			if err != nil {
				return unreachable(cfg.Database, err)
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			n, err := db.Migrate(cmd.Context())
			if err != nil {
				return err
			}
			if n == 0 {
				cmd.Printf("The schema of %s is up to date already.\n", cfg.Database)
			} else {
				cmd.Printf("The schema of %s is up to date: %s ran.\n", cfg.Database, counted(n, "migration"))
			}
			return nil
		},
	}
}
