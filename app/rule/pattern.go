package rule

import (
	"fmt"
	"regexp"
	"regexp/syntax"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Matching takes at most as many steps as the text has bytes times the number of the
// pattern's instructions, so both are bounded.
const (
	maxMatched      = 2 << 10 // bytes of text
	maxInstructions = 500
)

// patterns are those of an expression by their text, compiled.
type patterns map[string]pattern

type pattern struct {
	*regexp.Regexp

	instructions int
}

// add compiles the pattern of a call of matches. It must be a literal, since a pattern
// from the event could have any size.
func (p patterns) add(call ast.CallExpr) error {
	args := call.Args()
	last := args[len(args)-1]
	if last.Kind() != ast.LiteralKind {
		return fault.Invalid("The pattern of matches has to be written in the expression: one that came with the event could be of any size.")
	}
	text, ok := last.AsLiteral().Value().(string)
	if !ok { // CEL's checker refuses other literals
		return fault.Invalid("The pattern of matches has to be text.")
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return fault.Invalid("The pattern %q cannot be used: %s.", text, err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return fault.Invalid("The pattern %q cannot be used: %s.", text, err)
	}
	if n := len(program.Inst); n > maxInstructions {
		return fault.Invalid("The pattern %q repeats too much: it has %d instructions, of at most %d.", text, n, maxInstructions)
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return fault.Invalid("The pattern %q cannot be used: %s.", text, err)
	}
	p[text] = pattern{compiled, len(program.Inst)}
	return nil
}

// matches is CEL's function of that name with the compiled patterns. It refuses a text
// that is longer than maxMatched.
func (p patterns) matches() *interpreter.RegexOptimization {
	return &interpreter.RegexOptimization{
		Function: overloads.Matches, RegexIndex: 1,
		Factory: func(call interpreter.InterpretableCall, text string) (interpreter.InterpretableCall, error) {
			known, ok := p[text]
			if !ok {
				return nil, fmt.Errorf("the pattern %q was not looked at", text)
			}
			return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(args ...ref.Val) ref.Val {
				in, ok := args[0].(types.String)
				switch {
				case !ok:
					return types.MaybeNoSuchOverloadErr(args[0])
				case len(in) > maxMatched:
					return types.NewErr("matches reads at most %d bytes, and this text has %d", maxMatched, len(in))
				}
				return types.Bool(known.MatchString(string(in)))
			}), nil
		},
	}
}

// steps is the maximum number of steps of a call of matches; 0 where it refused the
// text.
func (p patterns) steps(args []ref.Val) uint64 {
	n := length(args[0])
	if n > maxMatched {
		return 0
	}
	text, _ := args[1].(types.String)
	return (1 + n) * uint64(p[string(text)].instructions)
}
