// Package migrations carries the database's schema, one set of goose files a
// dialect. Migrations are forward-only: one that has landed is never edited.
package migrations

import "embed"

// Postgres and SQLite are the migrations of each dialect, in the folder of its
// name.
var (
	//go:embed postgres/*.sql
	Postgres embed.FS
	//go:embed sqlite/*.sql
	SQLite embed.FS
)
