package pgtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
)

// owner names the variable that turns this test binary into a process that
// starts a cluster and waits to be killed.
const owner = "PGTEST_OWN_A_CLUSTER"

func TestMain(m *testing.M) {
	if os.Getenv(owner) == "" {
		os.Exit(m.Run())
	}
	cluster, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(cluster.URL)
	select {}
}

func TestDatabasesAreSeparateAndDropped(t *testing.T) {
	t.Parallel()
	var first string
	t.Run("while the test runs", func(t *testing.T) {
		first = pgtest.Database(t)
		execute(t, first, "CREATE TABLE mine (id int)")
		if got := query[int](t, pgtest.Database(t), "SELECT count(*)::int FROM pg_tables WHERE tablename = 'mine'"); got != 0 {
			t.Errorf("another database has %d tables of this one", got)
		}
	})
	_, err := pgx.Connect(t.Context(), first)
	if err == nil || !strings.Contains(err.Error(), "3D000") {
		t.Errorf("connecting to the database of a test that ended: %v, want that it does not exist", err)
	}
}

func TestTemplateIsPreparedOnce(t *testing.T) {
	t.Parallel()
	var prepared atomic.Int32
	prepare := func(url string) error {
		prepared.Add(1)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), "CREATE TABLE seen (by text); INSERT INTO seen VALUES ('template')")
		return errors.Join(err, conn.Close(t.Context()))
	}
	key := t.Name() + pgtest.Database(t) // a new one on a server that outlives the test
	t.Run("copies", func(t *testing.T) {
		for _, name := range []string{"ana", "ben", "eve"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				url := pgtest.DatabaseFrom(t, key, prepare)
				execute(t, url, "INSERT INTO seen VALUES ('"+name+"')")
				got := query[string](t, url, "SELECT string_agg(by, ' ' ORDER BY by DESC) FROM seen")
				if want := "template " + name; got != want {
					t.Errorf("rows %q, want %q", got, want)
				}
			})
		}
	})
	if got := prepared.Load(); got != 1 {
		t.Errorf("prepared %d times, want once", got)
	}
}

func TestFailedPreparationIsNotCopied(t *testing.T) {
	t.Parallel()
	key := t.Name() + pgtest.Database(t)
	failing := &recorder{TB: t}
	func() {
		defer func() {
			if r, _ := recover().(error); !errors.Is(r, errFatal) {
				t.Fatalf("recovered %v, want the recorded failure", r)
			}
		}()
		pgtest.DatabaseFrom(failing, key, func(url string) error {
			return errors.New("migration 7 is broken")
		})
	}()
	if !strings.Contains(failing.message, "migration 7 is broken") {
		t.Errorf("failed with %q, want the cause", failing.message)
	}
	url := pgtest.DatabaseFrom(t, key, func(string) error { return nil })
	if got := query[int](t, url, "SELECT 1"); got != 1 {
		t.Errorf("the second preparation's copy answers %d", got)
	}
}

func TestClusterSettings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options pgtest.Options
		want    string
	}{
		{"for tests", pgtest.Options{}, "off"},
		{"durable", pgtest.Options{Durable: true}, "on"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cluster, err := pgtest.Start(test.options)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
				got[name] = query[string](t, cluster.URL, "SHOW "+name)
			}
			want := map[string]string{"fsync": test.want, "synchronous_commit": test.want, "full_page_writes": test.want}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			dir := query[string](t, cluster.URL, "SHOW data_directory")
			if err := cluster.Stop(); err != nil {
				t.Errorf("stop: %v", err)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("after Stop, %s: %v, want that it is gone", dir, err)
			}
		})
	}
}

func TestClusterEndsWithOwner(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(self)
	process.Env = append(os.Environ(), owner+"=1")
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), strings.TrimSpace(url))
	if err != nil {
		t.Fatalf("connect to %s: %v", url, err)
	}
	if err := process.Process.Kill(); err != nil { // SIGKILL: no deferred call runs
		t.Fatal(err)
	}
	// The statement ends with its server; if that lives on, after ten minutes.
	_, err = conn.Exec(t.Context(), "SELECT pg_sleep(600)")
	if err == nil {
		t.Error("the cluster outlived its owner")
	}
	_ = conn.Close(context.Background())
	_ = process.Wait()
}

// recorder keeps the words of Fatalf and stops the caller by a panic.
type recorder struct {
	testing.TB
	message string
}

var errFatal = errors.New("fatal")

func (r *recorder) Fatalf(format string, args ...any) {
	r.message = fmt.Sprintf(format, args...)
	panic(errFatal)
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), statement)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func query[T any](t *testing.T, url, statement string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	var value T
	err = conn.QueryRow(t.Context(), statement).Scan(&value)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}
