package pgtest

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Options say what kind of cluster to start.
type Options struct {
	// Durable leaves PostgreSQL's own settings for safety as they are (fsync,
	// synchronous_commit, full_page_writes), as a measurement needs. Without
	// it they are off: what a test cluster loses in a power cut, nobody misses.
	Durable bool
}

// Cluster is a running PostgreSQL server with databases of its own. It runs for
// as long as somebody holds the Cluster: when that is garbage, so is this.
type Cluster struct {
	// URL reaches the database "postgres" as its superuser, over TCP on the
	// loopback interface.
	URL string

	leash  io.Closer
	runner *exec.Cmd
}

//go:embed cluster.sh
var script string

// Start makes a cluster in a new temporary directory and waits until it
// answers. It stops, and its directory goes, with Stop or when this process
// ends in whatever way.
func Start(o Options) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	// A port that is free now may be taken a moment later.
	for try := 1; ; try++ {
		c, err := start(bin, o)
		if err == nil || try == 3 {
			return c, err
		}
	}
}

// Stop ends the cluster at once, without a checkpoint, and waits until its
// directory is gone. Connections that are still open break.
func (c *Cluster) Stop() error {
	return errors.Join(c.leash.Close(), c.runner.Wait())
}

func start(bin string, o Options) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "tocsin-postgres-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for PostgreSQL: %w", err)
	}
	credential, err := unprivileged(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	initdb, server := o.flags(port)
	runner := exec.Command("sh", "-c", script, "sh", bin, dir, initdb, server)
	runner.Dir = dir // the working directory may be closed to the other user
	// A session of its own: an interrupt at the terminal is for the tests,
	// whose end then ends the cluster.
	runner.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: credential}
	leash, err := runner.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	said, err := runner.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := runner.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), os.RemoveAll(dir))
	}
	lines := bufio.NewReader(said)
	if first, _ := lines.ReadString('\n'); first != "ready\n" {
		rest, _ := io.ReadAll(lines)
		_ = leash.Close()
		_ = runner.Wait()
		return nil, fmt.Errorf("start PostgreSQL from %s:\n%s%s", bin, first, rest)
	}
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	return &Cluster{URL: url, leash: leash, runner: runner}, nil
}

// flags are the options of initdb and of the server.
func (o Options) flags(port int) (initdb, server string) {
	server = fmt.Sprintf("-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories= "+
		"-c max_connections=300 -c shared_buffers=128MB", port)
	if o.Durable {
		return "", server
	}
	return "--no-sync", server + " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
}

// unprivileged gives the directory to a user who is not root, which
// PostgreSQL refuses to run as. For anybody else it changes nothing.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr, os.Chown(dir, int(uid), int(gid))); err != nil {
			return nil, fmt.Errorf("give %s to %s: %w", dir, name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as")
}

// errNotInstalled says what to do, since no test is skipped in its absence.
var errNotInstalled = errors.New(`PostgreSQL's server programs (initdb, pg_ctl) were not found: not in PATH, not where pg_config points, not under /usr/lib/postgresql.
Install them:  sudo apt-get install postgresql   (Debian, Ubuntu)
Or let TOCSIN_TEST_POSTGRES point at a server whose user may create databases`)

// binaries finds the directory of the server programs, which Debian keeps out
// of PATH: where pg_config points, else the newest under /usr/lib/postgresql.
func binaries() (string, error) {
	var candidates []string
	if path, err := exec.LookPath("initdb"); err == nil {
		candidates = append(candidates, filepath.Dir(path))
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		candidates = append(candidates, strings.TrimSpace(string(out)))
	}
	packaged, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(packaged, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(candidates, packaged...) {
		if complete(dir) {
			return dir, nil
		}
	}
	return "", errNotInstalled
}

// version reads 15 from /usr/lib/postgresql/15/bin, and 0 from what has none.
func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
