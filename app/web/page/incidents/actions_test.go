package incidents

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestGivenParsesForm(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("priority=&reason=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	fields := &formFields{c: echo.New().NewContext(r, httptest.NewRecorder())}
	if !fields.Given("priority") || fields.Given("note") {
		t.Errorf("an empty field counts as sent: %t; a missing one: %t", fields.Given("priority"), fields.Given("note"))
	}
}
