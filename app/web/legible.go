package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// legible reports whether a text can be kept: PostgreSQL takes UTF-8 alone, and
// no NUL.
func legible(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// allLegible is a fault that names a value which is no text. Browsers send none.
func allLegible(values url.Values) error {
	for name, list := range values {
		for _, value := range list {
			if !legible(name) || !legible(value) {
				return fault.Malformed("What was sent as %q holds characters that are no text.", name)
			}
		}
	}
	return nil
}

// legibleForm reads the form of a POST, and refuses one that is cut off, too
// large, or holds what is no text; of a GET, such a query.
func legibleForm(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if err := r.ParseForm(); err != nil && r.Method == http.MethodPost {
			return unreadable(err)
		}
		if err := allLegible(r.Form); err != nil {
			return err
		}
		return next(c)
	}
}

func unreadable(err error) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return err
	}
	return fault.Malformed("The form cannot be read.").Because(err)
}

// legibleQuery leaves the body alone: see readBody. A query that cannot be parsed
// would lose the parameters that say what is asked for.
func legibleQuery(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, err := url.ParseQuery(c.Request().URL.RawQuery); err != nil {
			return fault.Malformed("The query in the address cannot be read: %q. Parameters are joined by &, and % stands before two hex digits.", c.Request().URL.RawQuery).Because(err)
		}
		if err := allLegible(c.QueryParams()); err != nil {
			return err
		}
		return next(c)
	}
}
