package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// render makes the whole page before it answers, so that a page that fails
// half-way is an error and not a torn page.
func render(c echo.Context, status int, page templ.Component) error {
	var whole bytes.Buffer
	if err := page.Render(c.Request().Context(), &whole); err != nil {
		return fault.Internal(fmt.Errorf("render %s: %w", c.Path(), err))
	}
	return c.HTMLBlob(status, bytes.Map(leftToRead, whole.Bytes()))
}

// leftToRead leaves out the characters by which a name could turn round what is
// written beside it: overrides, embeddings and isolates of direction. Marks, which
// right-to-left text needs, stay.
func leftToRead(r rune) rune {
	if r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' {
		return -1
	}
	return r
}

const flashKey = "flash"

// say keeps a message for the next page.
func (p *pages) say(c echo.Context, f layout.Flash) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	p.Sessions.Put(c.Request().Context(), flashKey, string(text))
	return nil
}

// flash takes the message that was kept for this page, if there is one.
func (p *pages) flash(c echo.Context) *layout.Flash {
	var f layout.Flash
	if json.Unmarshal([]byte(p.Sessions.PopString(c.Request().Context(), flashKey)), &f) != nil {
		return nil
	}
	return &f
}

// done answers a form that did what it was for.
func (p *pages) done(c echo.Context, next, format string, args ...any) error {
	if err := p.say(c, layout.Flash{Text: fmt.Sprintf(format, args...)}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, next)
}

// refused answers a form that could not be carried out, where the way things
// are is the reason rather than what was typed: the next page says so. Any other
// error stays what it is.
func (p *pages) refused(c echo.Context, next string, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	switch f.Kind {
	case fault.KindConflict, fault.KindGone, fault.KindLimited, fault.KindInvalid, fault.KindMalformed:
	default:
		return err
	}
	if err := p.say(c, layout.Flash{Text: f.Message, Failed: true}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, next)
}

// wrong is what a fault says of each field of a form, by the field's name.
type wrong map[string]string

// wrongFields tells whether an error is about what was typed, so that the form
// is shown again.
func wrongFields(err error) (wrong, bool) {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Fields) == 0 || f.Kind != fault.KindInvalid && f.Kind != fault.KindConflict {
		return nil, false
	}
	w := wrong{}
	for _, field := range f.Fields {
		if _, told := w[field.Path]; !told {
			w[field.Path] = field.Message
		}
	}
	return w, true
}

// field is an input as it was typed, with what is wrong with it.
func (w wrong) field(c echo.Context, name string) element.Field {
	return element.Field{Value: c.FormValue(name), Error: w[name]}
}
