package element

import (
	"context"
	"fmt"
	"io"

	"github.com/a-h/templ"
)

// Say is a sentence: strings are text, components are as they are, and nothing
// stands between them but what the strings say. Templates alone would lose or
// add spaces around components.
func Say(parts ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, part := range parts {
			var err error
			switch p := part.(type) {
			case string:
				_, err = io.WriteString(w, templ.EscapeString(p))
			case templ.Component:
				err = p.Render(ctx, w)
			default:
				err = fmt.Errorf("a sentence of %T", part)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// If is the parts as a sentence of their own where the condition holds, and
// nothing where it does not.
func If(holds bool, parts ...any) templ.Component {
	if !holds {
		return templ.NopComponent
	}
	return Say(parts...)
}
