// Package rule evaluates the organisation's own expressions over what was
// received. They are written in CEL, which has no loops without end and no
// effects; what one may cost is bounded besides, since an expression sees what a
// stranger sent.
package rule

import (
	"errors"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/interpreter"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// MaxLength is how long an expression may be, in runes.
const MaxLength = 1000

// mostCost bounds one evaluation in CEL's units: about one for a field that is
// read or an element that is visited, and one for ten characters that are. It is
// counted, not timed, so that an event has the same outcome on every machine. A
// usual key costs some ten; this is a few milliseconds.
const mostCost = 10_000

// Key is a compiled expression that makes an event's dedup key. It may be used
// from several goroutines.
type Key struct{ program cel.Program }

// environment declares what an expression sees: the standard functions, the
// optional fields of CEL (event.?deployment.orValue("")) and the event. The
// macros map and filter are left out, since what they make of an object follows
// its order, which is none: the same event could have several keys. So are the
// extended string functions, which build a text before they are charged for it.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("event", cel.MapType(cel.StringType, cel.DynType)),
		cel.OptionalTypes(),
		cel.ClearMacros(),
		cel.Macros(cel.HasMacro, cel.AllMacro, cel.ExistsMacro, cel.ExistsOneMacro),
		cel.ParserExpressionSizeLimit(MaxLength),
	)
})

// CompileKey compiles an expression that yields text, such as
//
//	event.service + "/" + event.slo.name
//
// Fault: Invalid, with what is wrong with it and where.
func CompileKey(expression string) (*Key, error) {
	if n := utf8.RuneCountInString(expression); n > MaxLength {
		return nil, fault.Invalid("An expression has at most %d characters; this one has %d.", MaxLength, n)
	}
	env, err := environment()
	if err != nil {
		return nil, fault.Internal(err)
	}
	checked, issues := env.Compile(expression)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		return nil, fault.Invalid("This is no expression over the event, such as event.service + \"/\" + event.slo.name. At line %d, character %d: %s.",
			first.Location.Line(), max(1, first.Location.Column()+1), calm(first.Message))
	}
	if kind := checked.OutputType(); !kind.IsExactType(cel.StringType) && !kind.IsExactType(cel.DynType) {
		return nil, fault.Invalid("The expression has to yield text, and yields %s. string() makes text of a number.", kind)
	}
	if !fixedPatterns(checked.NativeRep().Expr()) {
		return nil, fault.Invalid("The pattern of matches has to be written in the expression: one that came with the event could be of any size.")
	}
	// With the patterns compiled now, a wrong one is refused here.
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(mostCost), cel.CostTracking(costs{}))
	if err != nil {
		return nil, fault.Invalid("This expression cannot be used: %s.", err)
	}
	return &Key{program}, nil
}

// fixedPatterns reports whether every regular expression is a literal. Compiling
// one takes memory far beyond its length.
func fixedPatterns(whole ast.Expr) bool {
	fixed := true
	ast.PostOrderVisit(whole, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != overloads.Matches {
			return
		}
		args := e.AsCall().Args()
		fixed = fixed && args[len(args)-1].Kind() == ast.LiteralKind
	}))
	return fixed
}

// calm leaves out of a message what only the author of a grammar understands.
func calm(message string) string {
	message, _, _ = strings.Cut(strings.TrimPrefix(message, "Syntax error: "), " expecting ")
	if strings.Contains(message, "'<EOF>'") {
		return "the expression ends too early"
	}
	return strings.TrimRight(message, ". ")
}

// Of evaluates the expression over an event: a tree of maps, lists, strings,
// numbers and booleans, which is not changed. An error says what was wrong, in
// words for the sender, and may repeat what the event holds.
func (k *Key) Of(event map[string]any) (string, error) {
	out, _, err := k.program.Eval(map[string]any{"event": event})
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &cancelled):
		return "", errors.New("it takes too long")
	case err != nil:
		return "", err
	}
	text, ok := out.Value().(string)
	if !ok {
		return "", errors.New("it yields " + out.Type().TypeName() + " and not text")
	}
	return text, nil
}
