package element

import (
	"context"
	"fmt"
	"io"
	"time"

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

// InForce says since when a version holds and when those before it began to,
// newest first. It is nothing where nobody knows.
func InForce(c Clock, since time.Time, earlier []time.Time) templ.Component {
	if since.IsZero() {
		return templ.NopComponent
	}
	parts := []any{"Effective since ", onDate(c, since)}
	for i, at := range earlier {
		before := ", "
		switch {
		case i == 0:
			before = "; earlier versions since "
		case i == len(earlier)-1:
			before = " and "
		}
		parts = append(parts, before, onDate(c, at))
	}
	return Say(append(parts, ".")...)
}

// onDate is an instant with its day and year, since a version may hold for
// years.
func onDate(c Clock, t time.Time) templ.Component {
	return Say(templ.Raw(`<time datetime="`+t.UTC().Format(time.RFC3339)+`">`), c.In(t).Format("2 Jan 2006, 15:04"), templ.Raw("</time>"))
}
