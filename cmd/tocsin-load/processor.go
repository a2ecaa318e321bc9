package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// meter reads the processor time of a process and its children from Linux's /proc;
// elsewhere it reads zero. Unlike elapsed time, it hardly depends on other load on the
// machine.
type meter struct {
	parent int
}

// tick is the unit of /proc: USER_HZ, which is 100 on every Linux.
const tick = 10 * time.Millisecond

// taken is the time of the process, of its running children and of those that have
// ended.
func (m meter) taken() time.Duration {
	var sum int64
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range all {
		s, ok := readStat(file)
		switch {
		case !ok:
		case s.pid == m.parent:
			sum += s.own + s.ended
		case s.parent == m.parent:
			sum += s.own
		}
	}
	return time.Duration(sum) * tick
}

type stat struct {
	pid, parent int
	own, ended  int64 // in ticks; ended is that of children that have ended
}

// readStat reads the fields of proc(5) that matter: 1, 4 and 14 to 17.
func readStat(file string) (stat, bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return stat{}, false // it has just ended
	}
	text := string(data)
	name := strings.LastIndexByte(text, ')')
	pid, err := strconv.Atoi(strings.TrimSpace(text[:max(0, strings.IndexByte(text, '('))]))
	fields := strings.Fields(text[name+1:])
	if err != nil || len(fields) < 15 {
		return stat{}, false
	}
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return n
	}
	return stat{pid: pid, parent: int(number(4)), own: number(14) + number(15), ended: number(16) + number(17)}, true
}

// cost is a time divided among requests.
func cost(taken time.Duration, requests int) string {
	if requests == 0 {
		return "–"
	}
	return fmt.Sprintf("%d µs", (taken / time.Duration(requests)).Microseconds())
}
