package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// printError prints the error of a command: the message and fields of a fault. Its
// cause
// is printed only where verbose is set.
func printError(w io.Writer, err error, verbose bool) {
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		_, _ = fmt.Fprintln(w, "Interrupted.")
	case errors.Is(err, errUnwell):
		return // the doctor has printed its findings
	case !ok || f.Kind == fault.KindInternal:
		_, _ = fmt.Fprintln(w, "Something went wrong that should not have. With --verbose this says what.")
	default:
		printFault(w, f)
	}
	if verbose {
		_, _ = fmt.Fprintf(w, "Cause: %v\n", cause(err))
	}
}

func printFault(w io.Writer, f *fault.Error) {
	if mistakes, ok := errors.AsType[blueprint.Mistakes](f.Cause); ok {
		_, _ = fmt.Fprintf(w, "%s:\n", strings.TrimRight(f.Message, ".:"))
		for _, m := range mistakes {
			_, _ = fmt.Fprintf(w, "  %s\n", m)
		}
		return
	}
	_, _ = fmt.Fprintln(w, f.Message)
	for _, field := range f.Fields {
		if field.Message != f.Message {
			_, _ = fmt.Fprintf(w, "  %s: %s\n", field.Path, field.Message)
		}
	}
}

func cause(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Cause != nil {
		return f.Cause
	}
	return err
}

func printUsageError(w io.Writer, err error) {
	_, _ = fmt.Fprintf(w, "%s.\n`tocsin help` lists the commands, `tocsin help COMMAND` tells about one.\n", strings.TrimRight(capital(err.Error()), ".\n"))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// unreachable is the fault of a database that could not be opened or migrated.
func unreachable(database config.Database, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Unavailable("The database %s %s", database, whyUnreachable(err)).Because(err)
}

// The SQLSTATE codes of PostgreSQL that a wrong URL leads to.
const (
	badPassword = "28P01"
	badUser     = "28000"
	noDatabase  = "3D000"
)

// refusal is an error that the database server returned.
type refusal interface {
	error
	SQLState() string
}

func whyUnreachable(err error) string {
	if r, ok := errors.AsType[refusal](err); ok {
		switch r.SQLState() {
		case badPassword, badUser:
			return "cannot be reached: its server refuses the user or the password in TOCSIN_DATABASE_URL."
		case noDatabase:
			return "cannot be reached: the server has no database of that name. `createdb` makes one."
		}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "cannot be reached: the name of its host is not known here."
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "cannot be reached: nothing listens there. Check that it runs, and TOCSIN_DATABASE_URL."
	case errors.Is(err, syscall.EACCES):
		return "cannot be opened: this user may not read or write it."
	}
	return "cannot be used. Check that it runs, what this user may do there, and TOCSIN_DATABASE_URL; --verbose shows the cause."
}
