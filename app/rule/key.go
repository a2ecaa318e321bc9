// Package rule evaluates expressions of the organisation on received events. They are
// written in a subset of CEL without loops and side effects: each part of an expression
// is evaluated at most once. Their cost is bounded too, since events are untrusted
// input;
// see maxCost.
package rule

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/interpreter"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// MaxLength is the maximum length of an expression, in runes.
const MaxLength = 1000

// Key is a compiled expression that computes an event's dedup key. It may be used by
// several goroutines.
type Key struct{ program cel.Program }

// environment declares the standard functions, the optional fields of CEL
// (event.?deployment.orValue("")) and the variable event. The only macro is has: the
// others loop over untrusted input, and over an object in no defined order, so that
// the same event could have several keys.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("event", cel.MapType(cel.StringType, cel.DynType)),
		cel.OptionalTypes(),
		cel.ClearMacros(),
		cel.Macros(cel.HasMacro),
		cel.ParserExpressionSizeLimit(MaxLength),
	)
})

// functions are those that an expression may call. Each reads its arguments at most
// once, and costs charges for it.
var functions = []string{
	operators.Conditional, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot,
	operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
	operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo, operators.Negate,
	operators.In, operators.Index, operators.OptIndex, operators.OptSelect,
	overloads.TypeConvertString, overloads.TypeConvertInt, overloads.TypeConvertDouble, overloads.Size,
	overloads.Contains, overloads.StartsWith, overloads.EndsWith, overloads.Matches,
	"or", "orValue", "hasValue", "value",
}

// CompileKey compiles an expression that yields text, such as
//
//	event.service + "/" + event.slo.name
//
// Fault: Invalid, with the error and its position.
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
			first.Location.Line(), max(1, first.Location.Column()+1), withoutGrammar(first.Message))
	}
	if kind := checked.OutputType(); !kind.IsExactType(cel.StringType) && !kind.IsExactType(cel.DynType) {
		return nil, fault.Invalid("The expression has to yield text, and yields %s. string() makes text of a number.", kind)
	}
	patterns := patterns{}
	if err := patterns.permit(checked.NativeRep().Expr()); err != nil {
		return nil, err
	}
	program, err := env.Program(checked, cel.OptimizeRegex(patterns.matches()), cel.CostLimit(maxCost), cel.CostTracking(costs{patterns}))
	if err != nil {
		return nil, fault.Invalid("This expression cannot be used: %s.", err)
	}
	return &Key{program}, nil
}

// permit refuses calls that could cost more than they are charged for, and compiles the
// patterns.
func (p patterns) permit(whole ast.Expr) (err error) {
	ast.PostOrderVisit(whole, ast.NewExprVisitor(func(e ast.Expr) {
		if err == nil {
			err = p.permitOne(e)
		}
	}))
	return err
}

func (p patterns) permitOne(e ast.Expr) error {
	switch e.Kind() {
	case ast.LiteralKind, ast.IdentKind, ast.SelectKind:
	case ast.ListKind:
		if slices.ContainsFunc(e.AsList().Elements(), func(e ast.Expr) bool { return e.Kind() != ast.LiteralKind }) {
			return fault.Invalid("A list in the expression may only hold texts and numbers, such as [\"prod-eu\", \"prod-us\"].")
		}
	case ast.CallKind:
		name := e.AsCall().FunctionName()
		if !slices.Contains(functions, name) {
			return fault.Invalid("%s is not among what an expression may use.", name)
		}
		if name == overloads.Matches {
			return p.add(e.AsCall())
		}
	default:
		return fault.Invalid("An expression may hold no loops, and no objects of its own.")
	}
	return nil
}

// withoutGrammar removes the parser's terms from an error message.
func withoutGrammar(message string) string {
	message, _, _ = strings.Cut(strings.TrimPrefix(message, "Syntax error: "), " expecting ")
	if strings.Contains(message, "'<EOF>'") {
		return "the expression ends too early"
	}
	return strings.TrimRight(message, ". ")
}

// Of evaluates the expression on an event: a tree of maps, lists, strings, numbers and
// booleans, which is not changed. The text of an error is for the sender, and may quote
// the event.
func (k *Key) Of(event map[string]any) (string, error) {
	out, _, err := k.program.Eval(map[string]any{"event": event})
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &cancelled):
		return "", errors.New("it reads too much")
	case err != nil:
		return "", err
	}
	text, ok := out.Value().(string)
	if !ok {
		return "", errors.New("it yields " + out.Type().TypeName() + " and not text")
	}
	return text, nil
}
