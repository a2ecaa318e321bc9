package blueprint

import (
	"bytes"

	"github.com/goccy/go-yaml/token"
)

// Bounds of a file, far above what a large organisation needs. The parser takes time
// by the square of how deeply a file is nested, and by how much there is in it.
const (
	maxBytes = 4 << 20
	// maxIndicators bounds the characters that part values from one another.
	maxIndicators = 1_000_000
	maxDepth      = 32
	// maxForeign bounds what the format does not have: anchors, aliases and tags.
	maxForeign = 100
)

// indicators are the characters with which a value may begin or end.
const indicators = "[]{},:-?&*!|>#\n"

// tooMany reports whether a file has more indicators than maxIndicators.
func tooMany(data []byte) bool {
	n := 0
	for i := range len(indicators) {
		n += bytes.Count(data, []byte{indicators[i]})
	}
	return n > maxIndicators
}

// depths follows how deeply the tokens of a file are nested.
type depths struct {
	blocks  []int // the columns of the keys and entries around, outside of brackets
	flow    int   // the brackets around
	pairs   int   // the colons since the last bracket or comma within brackets
	foreign int
}

// check returns the token at which a file is nested more deeply than maxDepth, or has
// more than maxForeign of what the format does not have, and what to say of it; nil
// for none.
func (d *depths) check(tokens token.Tokens) (at *token.Token, message string) {
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			d.flow++
			d.pairs = 0
		case token.SequenceEndType, token.MappingEndType:
			d.flow--
			d.pairs = 0
			if d.flow < 0 {
				return t, "This is not YAML: the bracket was not opened."
			}
		case token.CollectEntryType:
			d.pairs = 0
		case token.SequenceEntryType, token.MappingKeyType:
			d.open(t.Position.Column)
		case token.MappingValueType:
			if t.Prev != nil {
				d.open(t.Prev.Position.Column)
			}
		case token.AnchorType, token.AliasType, token.TagType:
			if d.foreign++; d.foreign > maxForeign {
				return t, "Anchors, aliases and tags are not part of this format."
			}
		}
		if d.flow+d.pairs+len(d.blocks) > maxDepth {
			return t, "The file is nested too deeply here."
		}
	}
	return nil, ""
}

// open notes a key or an entry in a column. It ends what is in that column and after
// it; within brackets, columns say nothing.
func (d *depths) open(column int) {
	if d.flow > 0 {
		d.pairs++
		return
	}
	for len(d.blocks) > 0 && d.blocks[len(d.blocks)-1] >= column {
		d.blocks = d.blocks[:len(d.blocks)-1]
	}
	d.blocks = append(d.blocks, column)
}
