package page

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

// Render renders the whole page before it answers, so that an error of the view is
// answered as one and not sent as half a page.
func Render(c echo.Context, status int, page templ.Component) error {
	var whole bytes.Buffer
	if err := page.Render(c.Request().Context(), &whole); err != nil {
		return fault.Internal(fmt.Errorf("render %s: %w", c.Path(), err))
	}
	return c.HTMLBlob(status, bytes.Map(dropBidiControls, whole.Bytes()))
}

// dropBidiControls drops bidirectional control characters, by which a name could
// reorder the text beside it: overrides, embeddings and isolates. It keeps the
// marks, which right-to-left text needs.
func dropBidiControls(r rune) rune {
	if r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' {
		return -1
	}
	return r
}

const flashKey = "flash"

// SetFlash stores a message for the next page. A request without a session stores
// none, since anybody could make any number of them.
func (p *Pages) SetFlash(c echo.Context, f layout.Flash) error {
	if !p.router.Sessions.Begun(c.Request().Context()) {
		return nil
	}
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	p.router.Sessions.Put(c.Request().Context(), flashKey, string(text))
	return nil
}

// TakeFlash removes and returns the message for this page; nil for none.
func (p *Pages) TakeFlash(c echo.Context) *layout.Flash {
	var f layout.Flash
	if json.Unmarshal([]byte(p.router.Sessions.PopString(c.Request().Context(), flashKey)), &f) != nil {
		return nil
	}
	return &f
}

// Done answers a form that succeeded: a redirect with a message.
func (p *Pages) Done(c echo.Context, next, format string, args ...any) error {
	if err := p.SetFlash(c, layout.Flash{Text: fmt.Sprintf(format, args...)}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, next)
}

// Refused answers a form that could not be carried out because of the current
// state rather than its fields: a redirect with the reason. Any other error is
// returned unchanged.
func (p *Pages) Refused(c echo.Context, next string, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	switch f.Kind {
	case fault.KindConflict, fault.KindGone, fault.KindLimited, fault.KindInvalid, fault.KindMalformed:
	default:
		return err
	}
	if err := p.SetFlash(c, layout.Flash{Text: f.Message, Failed: true}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, next)
}

// FieldErrors are the messages of a fault by the name of the form's field.
type FieldErrors map[string]string

// FieldErrorsOf reports whether an error is about fields of the form, so that the
// form is shown again with its messages.
func FieldErrorsOf(err error) (FieldErrors, bool) {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Fields) == 0 || f.Kind != fault.KindInvalid && f.Kind != fault.KindConflict {
		return nil, false
	}
	w := FieldErrors{}
	for _, field := range f.Fields {
		if _, ok := w[field.Path]; !ok {
			w[field.Path] = field.Message
		}
	}
	return w, true
}

// Field is an input as it was typed, with its error.
func (w FieldErrors) Field(c echo.Context, name string) element.Field {
	return element.Field{Value: c.FormValue(name), Error: w[name]}
}
