package db

import (
	"math/bits"
	"slices"
	"sync"
)

// shapes bounds in how many shapes a statement is sent. A shape is a set of uniform
// columns. Which columns of a batch are uniform depends on its senders, each shape is
// a statement of its own to PostgreSQL, and each connection keeps every statement
// prepared.
type shapes struct {
	mu sync.Mutex
	of map[string][]uint64 // sets of uniform columns, the first column being bit 0
}

// maxShapes bounds the shapes of a statement, besides the one in which every column
// is a list.
const maxShapes = 12

// pick is the set of columns to send once: all uniform ones, as long as the statement
// has fewer than maxShapes shapes, and then the largest known shape within them.
func (s *shapes) pick(statement string, uniform uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.of[statement]
	if slices.Contains(sent, uniform) {
		return uniform
	}
	if len(sent) < maxShapes {
		if s.of == nil {
			s.of = map[string][]uint64{}
		}
		s.of[statement] = append(sent, uniform)
		return uniform
	}
	best := uint64(0)
	for _, set := range sent {
		if set&^uniform == 0 && bits.OnesCount64(set) > bits.OnesCount64(best) {
			best = set
		}
	}
	return best
}

// uniformColumns is the set of uniform columns of n rows. If all are, it leaves the first
// out, whose list says how many rows there are.
func uniformColumns(n int, cols []Column) uint64 {
	uniform := uint64(0)
	for i, c := range cols {
		if c.uniform {
			uniform |= 1 << i
		}
	}
	if n > 1 && uniform == 1<<len(cols)-1 {
		uniform &^= 1
	}
	return uniform
}
