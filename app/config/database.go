package config

import (
	"net/url"
	"strings"
)

// Database is the database of an installation.
type Database struct {
	// File is the path of the SQLite file; empty for PostgreSQL.
	File string
	// URL is the address, "sqlite:FILE" or "postgres://…", password and all.
	URL Secret
}

// parseDatabase reads "sqlite:FILE" or "postgres://…". The problem is a
// sentence that repeats nothing of the address, or empty.
func parseDatabase(address string) (d Database, problem string) {
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "sqlite":
		return parseSQLite(rest)
	case "postgres", "postgresql":
		u, err := url.Parse(address)
		switch {
		case err != nil:
			return Database{}, "It cannot be read: special characters in the password are written in percent encoding, such as %40 for @."
		case !strings.HasPrefix(rest, "//") || strings.Trim(u.Path, "/") == "":
			return Database{}, "It names no database: postgres://user:password@host:5432/tocsin."
		}
		return Database{URL: NewSecret(address)}, ""
	default:
		return Database{}, "It begins with sqlite: or postgres://, such as sqlite:tocsin.db."
	}
}

func parseSQLite(file string) (d Database, problem string) {
	// Other tools write an absolute path with an empty host before it.
	if rest, ok := strings.CutPrefix(file, "//"); ok {
		if !strings.HasPrefix(rest, "/") {
			return Database{}, "A path follows sqlite: at once, such as sqlite:tocsin.db or sqlite:/var/lib/tocsin/tocsin.db."
		}
		file = rest
	}
	switch {
	case file == "", strings.HasSuffix(file, "/"):
		return Database{}, "It names no file: write sqlite:tocsin.db."
	case file == ":memory:":
		return Database{}, "A database in memory would forget every page: name a file, such as sqlite:tocsin.db."
	}
	return Database{File: file, URL: NewSecret("sqlite:" + file)}, ""
}

// IsPostgres reports whether the database is a PostgreSQL server.
func (d Database) IsPostgres() bool { return d.File == "" && !d.URL.IsZero() }

// String names the database without a password: "sqlite:tocsin.db" or
// "postgres://tocsin@db.example.com/tocsin".
func (d Database) String() string {
	if d.File != "" {
		return "sqlite:" + d.File
	}
	u, err := url.Parse(d.URL.Reveal())
	if err != nil {
		return masked
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path} // the query may hold a password, too
	if u.User != nil {
		shown.User = url.User(u.User.Username())
	}
	return shown.String()
}
