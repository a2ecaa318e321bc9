// Command tocsin pages whoever is on call. One binary serves, and does from the
// command line what an operator needs: see `tocsin help`.
package main

import (
	"context"
	"io"
	"os"
	_ "time/tzdata" // a schedule must not depend on what the machine has installed
)

// version is set by the linker.
var version = "unknown"

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// run carries out one command line. It returns 0, 1 where the command failed,
// or 2 where it could not be understood.
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
	case !c.understood:
		complainOfUsage(errOut, err)
		return 2
	default:
		complain(errOut, err, c.verbose)
		return 1
	}
}
