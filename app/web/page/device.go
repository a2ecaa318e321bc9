package page

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

const (
	// deviceCookie holds the token of a device on which a person has signed in.
	deviceCookie = "tocsin_device"
	// deviceLifetime is the longest that browsers keep a cookie.
	deviceLifetime = 400 * 24 * time.Hour
)

// Visitor is where a request comes from.
func Visitor(c echo.Context) auth.Visitor {
	from := auth.Visitor{Remote: c.RealIP()}
	if cookie, err := c.Cookie(deviceCookie); err == nil {
		from.Device = cookie.Value
	}
	return from
}

// RememberDevice gives the browser the token of a device on which a person has signed
// in.
func (p *Pages) RememberDevice(c echo.Context, token string) {
	if token == "" {
		return
	}
	//nolint:gosec // Secure where the server is reached by https
	c.SetCookie(&http.Cookie{Name: deviceCookie, Value: token, Path: "/", MaxAge: int(deviceLifetime / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(p.PublicURL(), "https://")})
}
