package rule

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxCost bounds one evaluation in units: one for a field that is read, an
// element that is visited, ten bytes of text that are, and a hundred steps of a
// pattern. It is counted, not timed, so that an event has the same outcome on
// every machine. A usual key costs some ten.
//
// A call is charged for once it is done, so that the last one goes beyond. It is
// one: nothing in an expression is done twice, a call reads what it is given
// once, and matches refuses what would take it too many steps.
const maxCost = 10_000

// costs charges a call for what it reads and what it makes. CEL's own prices go
// by the overload that the types choose. Nothing is known of an event's types
// before it comes, so that CEL would ask one unit for joining texts of any
// length, and for comparing lists and maps of any depth.
type costs struct{ patterns patterns }

// CallCost implements CEL's estimator of what a call did cost.
func (c costs) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	cost := 1 + length(result)/10
	switch function {
	case operators.Equals, operators.NotEquals:
		cost += compared(args[0], args[1])
	case operators.In, operators.Add:
		cost += weight(args[0]) + weight(args[1])
	case overloads.Matches:
		cost += c.patterns.steps(args) / 100
	default:
		for _, a := range args {
			cost += length(a) / 10
		}
	}
	return &cost
}

// compared is what comparing costs. A list or a map is looked into only where the
// other is one too, for then the comparison did; what is looked at is charged
// for.
func compared(a, b ref.Val) uint64 {
	if !contains(a) || !contains(b) {
		return min(length(a), length(b)) / 10
	}
	return weight(a) + weight(b)
}

func contains(v ref.Val) bool {
	switch v.(type) {
	case traits.Lister, traits.Mapper, *types.Optional:
		return true
	}
	return false
}

// length is that of a text, in bytes, and 0 for what is none.
func length(v ref.Val) uint64 {
	if text, ok := v.(types.String); ok {
		return uint64(len(text))
	}
	return 0
}

// weight is about what visiting a whole value costs, counted no further than the
// limit.
func weight(v ref.Val) uint64 {
	switch v := v.(type) {
	case traits.Lister:
		return weighed(v.Iterator(), weight)
	case traits.Mapper:
		return weighed(v.Iterator(), func(key ref.Val) uint64 { return weight(key) + weight(v.Get(key)) })
	case *types.Optional:
		if v.HasValue() {
			return 1 + weight(v.GetValue())
		}
	}
	return 1 + length(v)/10
}

func weighed(all traits.Iterator, each func(ref.Val) uint64) uint64 {
	total := uint64(1)
	for total <= maxCost && all.HasNext() == types.True {
		total += each(all.Next())
	}
	return total
}
