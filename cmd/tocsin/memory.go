package main

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

const (
	// memoryShare is the part of the memory limit of the cgroup that the heap may fill:
	// the rest is for stacks, for SQLite's pages, and for what the runtime is late to
	// free.
	memoryShare = 0.85
	// gcPercent lets the heap grow to five times the live heap before a collection: the
	// live heap is small, and under load collections took a fifth of the processor time.
	gcPercent = 400
)

// setMemory sets when the garbage collector runs. The environment variables GOGC and
// GOMEMLIMIT take precedence.
func setMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit := cgroupLimit(os.DirFS("/")); limit < math.MaxInt64 {
			debug.SetMemoryLimit(int64(float64(limit) * memoryShare))
		}
	}
}

// cgroupLimit is the memory limit of this process's cgroup, the smallest of it and its
// parents, in bytes (cgroup v2, memory.max); math.MaxInt64 where there is none. In a
// container the path of the cgroup is often not visible, and its limit is at the root.
func cgroupLimit(root fs.FS) int64 {
	limit := int64(math.MaxInt64)
	at := "/"
	own, _ := fs.ReadFile(root, "proc/self/cgroup")
	for line := range strings.Lines(string(own)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			at = path.Clean("/" + name)
		}
	}
	for {
		text, err := fs.ReadFile(root, path.Join("sys/fs/cgroup", at, "memory.max"))
		if n, parseErr := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && parseErr == nil && n > 0 {
			limit = min(limit, n)
		}
		if at == "/" {
			return limit
		}
		at = path.Dir(at)
	}
}
