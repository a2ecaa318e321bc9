package auth

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

const (
	// hashingProcess is set in the process that TestSignInsHoldMemoryBound starts.
	hashingProcess = "TOCSIN_TEST_HASHING"
	// maxHashingRSS is maxHashMemory, and as much again for all else; the race detector
	// needs memory of its own.
	maxHashingRSS = 2 * maxHashMemory * raceMemory
)

// TestSignInsHoldMemoryBound compares wrong passwords at once in a process of its own,
// with the garbage collector of the server, and looks at its peak resident memory.
func TestSignInsHoldMemoryBound(t *testing.T) {
	if os.Getenv(hashingProcess) != "" {
		hashAtOnce(t)
		return
	}
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSignInsHoldMemoryBound$", "-test.v")
	child.Env = append(os.Environ(), hashingProcess+"=1")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, after, _ := strings.Cut(string(out), "VmHWM:")
	peak := 0
	if _, err := fmt.Sscan(after, &peak); err != nil {
		t.Fatalf("no peak in the output: %v\n%s", err, out)
	}
	if peak > maxHashingRSS {
		t.Errorf("the peak is %d KiB, above %d", peak, maxHashingRSS)
	}
}

func hashAtOnce(t *testing.T) {
	debug.SetGCPercent(400)
	h := newHasher(DefaultCost)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			right, err := h.matches(t.Context(), h.decoy, "a wrong password", false)
			for fault.Is(err, fault.KindUnavailable) { // waited for too long
				right, err = h.matches(t.Context(), h.decoy, "a wrong password", false)
			}
			if right || err != nil {
				t.Errorf("matches: %v, %v", right, err)
			}
		})
	}
	all.Wait()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM:") {
			fmt.Print(line)
		}
	}
}
