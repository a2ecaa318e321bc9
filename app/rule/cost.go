package rule

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxCost bounds one evaluation, in units: one for a field that is read, for an
// element that is visited, for ten bytes of text that are read, and for a hundred
// steps of a pattern. It is counted, not timed, so that an event has the same result
// on every machine. A usual key costs about ten.
//
// A call is charged after it returns, so the last call may exceed the bound. It is
// only one: no part of an expression is evaluated twice, a call reads its arguments
// once, and matches refuses arguments that would take too many steps.
const maxCost = 10_000

// costs charges a call for the size of its arguments and result. CEL's own costs depend
// on the overload that the static types select. An event has no static types, so CEL
// would charge one unit for joining texts of any length, and for comparing lists and
// maps
// of any depth.
type costs struct{ patterns patterns }

// CallCost implements CEL's ActualCostEstimator.
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

// compared is the cost of a comparison. The elements of a list or map are charged only
// where the other value is one too, since only then they are compared.
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

// length is the length of a text in bytes; 0 for other values.
func length(v ref.Val) uint64 {
	if text, ok := v.(types.String); ok {
		return uint64(len(text))
	}
	return 0
}

// weight estimates the cost of visiting a whole value, counted up to maxCost.
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
