// Command withpostgres runs a command beside a throwaway PostgreSQL cluster,
// whose URL it finds in TOCSIN_TEST_POSTGRES:
//
//	go run ./app/harness/pgtest/cmd/withpostgres go test ./...
//
// With -durable the cluster keeps PostgreSQL's defaults for safety (fsync on),
// for measurements. Where the variable is set already, that server is used and
// none is started.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
)

func main() {
	durable := flag.Bool("durable", false, "keep PostgreSQL's own settings for safety, for measurements")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpostgres [-durable] COMMAND [ARGUMENT]...")
		os.Exit(2)
	}
	code, err := run(*durable, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
	}
	os.Exit(code)
}

// run returns the exit code of the command, or 1 with the reason why it could
// not run.
func run(durable bool, command []string) (code int, err error) {
	if os.Getenv(pgtest.Variable) == "" {
		cluster, startErr := pgtest.Start(pgtest.Options{Durable: durable})
		if startErr != nil {
			return 1, startErr
		}
		defer func() { err = errors.Join(err, cluster.Stop()) }()
		if err := os.Setenv(pgtest.Variable, cluster.URL); err != nil {
			return 1, err
		}
	}
	child := exec.Command(command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	// An interrupt at the terminal reaches the command by itself; this process
	// outlives it to stop the cluster. A termination is passed on.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if err := child.Start(); err != nil {
		return 1, err
	}
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM {
				_ = child.Process.Signal(s)
			}
		}
	}()
	err = child.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.Exited() {
			return exit.ExitCode(), nil
		}
		return 1, err
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
