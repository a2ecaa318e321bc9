package organization

import (
	"fmt"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// History is what incidents refer to, by kind and id, of priorities the level.
// Priorities are those of open incidents alone.
type History map[Kind]map[int64]Use

// Use is how incidents refer to a thing. What open ones refer to cannot be removed;
// what others refer to is archived.
type Use struct {
	// Incidents is how many refer to it; 0 for a kind that is never archived.
	Incidents int
	// Open are the numbers of those that are not resolved, ascending.
	Open []int64
}

// Archived is what was removed although incidents refer to it, for their names. It is
// found by id alone. An edit that puts a thing of its slug brings it back.
type Archived struct {
	Policies []PolicyRecord
	Services []catalog.Service
}

// maxOpenNamed bounds the incidents that a refusal names.
const maxOpenNamed = 5

// openWords name the open incidents; empty for none.
func (u Use) openWords() string {
	if len(u.Open) == 0 {
		return ""
	}
	var numbers []string
	for _, n := range u.Open[:min(len(u.Open), maxOpenNamed)] {
		numbers = append(numbers, fmt.Sprintf("#%d", n))
	}
	words := "open incidents "
	if len(u.Open) == 1 {
		words = "open incident "
	}
	words += strings.Join(numbers, ", ")
	if more := len(u.Open) - len(numbers); more > 0 {
		words += fmt.Sprintf(" and %d more", more)
	}
	return words
}

// archival is what a plan says of a thing that is archived.
func (u Use) archival() string {
	if u.Incidents == 1 {
		return "archived (1 incident keeps it)"
	}
	return fmt.Sprintf("archived (%d incidents keep it)", u.Incidents)
}

// use is how incidents refer to a thing.
func (l *list[T]) use(d *draft, v T) Use {
	if l.id == nil {
		return Use{}
	}
	return d.state.History[l.kind][l.id(d.state, v)]
}

// removal deletes a thing, or archives it where incidents refer to it.
func (l *list[T]) removal(d *draft, v T) Change {
	c := Change{Op: Delete, Kind: l.kind, Key: l.key(v)}
	if u := l.use(d, v); u.Incidents > 0 {
		c.Op, c.Words = Archive, []string{u.archival()}
	}
	return c
}

// idOf is the id of the row with a slug, 0 for none.
func idOf[R any](rows []R, slug string, of func(R) (id int64, slug string)) int64 {
	for _, r := range rows {
		if id, s := of(r); s == slug {
			return id
		}
	}
	return 0
}
