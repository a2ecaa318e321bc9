// Command tocsin is the server, and the tools of its operator: see `tocsin help`.
package main

import (
	"context"
	"io"
	"os"
	_ "time/tzdata" // schedules must not depend on the system's zone data

	_ "golang.org/x/crypto/x509roots/fallback" // for systems without root certificates, such as an empty container
)

// version is set by the linker.
var version = "unknown"

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// run runs one command line and returns the exit status: 0, 1 where the command failed,
// or 2 for a usage error.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer, lookup func(string) (string, bool)) int {
	c := &cli{lookup: lookup}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case !c.started:
		printUsageError(errOut, err)
		return 2
	default:
		printError(errOut, err, c.verbose)
		return 1
	}
}
