package page

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// signInAddress is the sign-in page that leads back to the page that was asked for, or that a form was on.
func signInAddress(r *http.Request) string {
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		next = ""
		if from, err := url.Parse(r.Referer()); err == nil {
			next = from.RequestURI()
		}
	}
	if next = LocalAddress(next); next == "/" {
		return "/sign-in"
	}
	return "/sign-in?next=" + url.QueryEscape(next)
}

// LocalAddress is an address within this installation, or "/" for any other.
// Browsers read a backslash as a slash and skip control characters.
func LocalAddress(address string) string {
	to, err := url.Parse(address)
	if err != nil || to.IsAbs() || to.Host != "" || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") ||
		strings.ContainsFunc(address, func(r rune) bool { return r == '\\' || r < ' ' }) {
		return "/"
	}
	return address
}

// referer is the page of this installation that a form or a link was on; empty
// where that is the requested page itself.
func referer(c echo.Context) string {
	from, err := url.Parse(c.Request().Referer())
	if err != nil || from.Host != c.Request().Host {
		return ""
	}
	if back := LocalAddress(from.RequestURI()); back != "/" && back != c.Request().URL.RequestURI() {
		return back
	}
	return ""
}

// Back is where a form returns to: /start or /welcome if it was on that page, which
// have forms of other pages, else the default.
func Back(c echo.Context, defaultAddress string) string {
	for _, page := range []string{c.FormValue("next"), referer(c)} {
		if page == "/start" || page == "/welcome" {
			return page
		}
	}
	return defaultAddress
}
