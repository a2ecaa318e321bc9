package db

import (
	"math/bits"
	"slices"
	"sync"
)

// shapes bounds in how many shapes a statement is sent. Which columns are alike
// in a batch is a matter of chance where senders are mixed, each mixture is a
// statement of its own to PostgreSQL, and each connection keeps what it was sent
// prepared.
type shapes struct {
	mu sync.Mutex
	of map[string][]uint64 // sets of alike columns, the first column being bit 0
}

// maxShapes is how many shapes a statement has, besides the one in which every
// column is a list.
const maxShapes = 12

// pick is the set of columns to treat as alike: those that are, as long as the
// statement has few shapes, and later the largest part of them that it was sent
// with before.
func (s *shapes) pick(statement string, alike uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.of[statement]
	if slices.Contains(sent, alike) {
		return alike
	}
	if len(sent) < maxShapes {
		if s.of == nil {
			s.of = map[string][]uint64{}
		}
		s.of[statement] = append(sent, alike)
		return alike
	}
	best := uint64(0)
	for _, set := range sent {
		if set&^alike == 0 && bits.OnesCount64(set) > bits.OnesCount64(best) {
			best = set
		}
	}
	return best
}

// alikeIn is the set of columns of n rows that travel once. It leaves one out
// that says how many rows there are.
func alikeIn(n int, cols []Column) uint64 {
	alike := uint64(0)
	for i, c := range cols {
		if c.alike {
			alike |= 1 << i
		}
	}
	if n > 1 && alike == 1<<len(cols)-1 {
		alike &^= 1
	}
	return alike
}
