package db

import (
	"testing"

	"pgregory.net/rapid"
)

// However senders are mixed, a statement has few shapes, and no column is taken
// for uniform that is not.
func TestShapesAreBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s shapes
		sent := map[uint64]bool{}
		for _, uniform := range rapid.SliceOf(rapid.Uint64Range(0, 255)).Draw(t, "batches") {
			got := s.pick("INSERT", uniform)
			if got&^uniform != 0 {
				t.Fatalf("of %b, %b is taken for uniform", uniform, got)
			}
			if sent[uniform] && got != uniform {
				t.Fatalf("%b, which was sent before, is sent as %b", uniform, got)
			}
			if got == uniform {
				sent[got] = true
			} else if len(sent) < maxShapes {
				t.Fatalf("%b is sent as %b though there are %d shapes only", uniform, got, len(sent))
			}
			for set := range sent {
				if set&^uniform == 0 && onesIn(set) > onesIn(got) {
					t.Fatalf("%b is sent as %b, and %b was there", uniform, got, set)
				}
			}
		}
		if len(sent) > maxShapes+1 { // and the one of lists alone
			t.Fatalf("%d shapes", len(sent))
		}
		if s.pick("UPDATE", 255) != 255 {
			t.Fatal("another statement's shapes are counted")
		}
	})
}

func onesIn(set uint64) int {
	n := 0
	for ; set > 0; set &= set - 1 {
		n++
	}
	return n
}

func TestOneColumnStaysAList(t *testing.T) {
	t.Parallel()
	uniform, list := Column{uniform: true}, Column{}
	for want, cols := range map[uint64][]Column{
		0b10:  {uniform, uniform},
		0b01:  {uniform, list},
		0b110: {uniform, uniform, uniform},
		0:     {list},
	} {
		if got := uniformColumns(2, cols); got != want {
			t.Errorf("of %d columns, %b are sent once", len(cols), got)
		}
	}
	if got := uniformColumns(1, []Column{uniform, uniform}); got != 0b11 {
		t.Errorf("of one row, %b", got)
	}
}
