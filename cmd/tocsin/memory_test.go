package main

import (
	"math"
	"testing"
	"testing/fstest"
)

func TestCgroupLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no cgroups":           {nil, math.MaxInt64},
		"no limit":             {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, math.MaxInt64},
		"of a container":       {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		"of a service":         {map[string]string{"proc/self/cgroup": "0::/system.slice/tocsin.service\n", "sys/fs/cgroup/system.slice/tocsin.service/memory.max": "1024\n"}, 1024},
		"of the slice above":   {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "2048\n", "sys/fs/cgroup/a/b/memory.max": "max\n"}, 2048},
		"not visible from it":  {map[string]string{"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/memory.max": "4096\n"}, 4096},
		"first version's too":  {map[string]string{"proc/self/cgroup": "5:memory:/x\n0::/a\n", "sys/fs/cgroup/a/memory.max": "8192\n"}, 8192},
		"outside of its mount": {map[string]string{"proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/memory.max": "16384\n"}, 16384},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := fstest.MapFS{}
			for path, text := range test.files {
				root[path] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := cgroupLimit(root); got != test.want {
				t.Errorf("limit %d, want %d", got, test.want)
			}
		})
	}
}
