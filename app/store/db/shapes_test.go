package db

import (
	"testing"

	"pgregory.net/rapid"
)

// However senders are mixed, a statement has few shapes, and no column is taken
// for alike that is not.
func TestAStatementHasFewShapes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s shapes
		sent := map[uint64]bool{}
		for _, alike := range rapid.SliceOf(rapid.Uint64Range(0, 255)).Draw(t, "batches") {
			got := s.pick("INSERT", alike)
			if got&^alike != 0 {
				t.Fatalf("of %b, %b is taken for alike", alike, got)
			}
			if sent[alike] && got != alike {
				t.Fatalf("%b, which was sent before, is sent as %b", alike, got)
			}
			if got == alike {
				sent[got] = true
			} else if len(sent) < maxShapes {
				t.Fatalf("%b is sent as %b though there are %d shapes only", alike, got, len(sent))
			}
			for set := range sent {
				if set&^alike == 0 && onesIn(set) > onesIn(got) {
					t.Fatalf("%b is sent as %b, and %b was there", alike, got, set)
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

func TestOneColumnSaysHowManyRowsThereAre(t *testing.T) {
	t.Parallel()
	alike, list := Column{alike: true}, Column{}
	for want, cols := range map[uint64][]Column{
		0b10:  {alike, alike},
		0b01:  {alike, list},
		0b110: {alike, alike, alike},
		0:     {list},
	} {
		if got := alikeIn(2, cols); got != want {
			t.Errorf("of %d columns, %b are sent once", len(cols), got)
		}
	}
	if got := alikeIn(1, []Column{alike, alike}); got != 0b11 {
		t.Errorf("of one row, %b", got)
	}
}
