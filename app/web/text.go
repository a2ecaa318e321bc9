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

// ValidText reports whether a text can be stored: PostgreSQL accepts only UTF-8
// without NUL.
func ValidText(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// checkValues is a fault that names a value that is no valid text. Browsers never
// send one.
func checkValues(values url.Values) error {
	for name, list := range values {
		for _, value := range list {
			if !ValidText(name) || !ValidText(value) {
				return fault.Malformed("What was sent as %q holds characters that are no text.", name)
			}
		}
	}
	return nil
}

// checkForm parses the form of a POST and rejects one that is cut off, too large
// or holds invalid text; of a GET, such a query.
func checkForm(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if err := r.ParseForm(); err != nil && r.Method == http.MethodPost {
			return formError(err)
		}
		if err := checkValues(r.Form); err != nil {
			return err
		}
		return next(c)
	}
}

func formError(err error) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return err
	}
	return fault.Malformed("The form cannot be read.").Because(err)
}

// checkQuery rejects a query that cannot be parsed, which would lose parameters,
// and one that holds invalid text. The API's handlers check the body.
func checkQuery(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, err := url.ParseQuery(c.Request().URL.RawQuery); err != nil {
			return fault.Malformed("The query in the address cannot be read: %q. Parameters are joined by &, and % stands before two hex digits.", c.Request().URL.RawQuery).Because(err)
		}
		if err := checkValues(c.QueryParams()); err != nil {
			return err
		}
		return next(c)
	}
}
