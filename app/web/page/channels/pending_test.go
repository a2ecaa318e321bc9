package channels_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/provider"
)

// A form with a secret is never sent back to a browser that is not signed in.
func TestSecretsDoNotWaitForSignIn(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		b := a.Browser()
		for _, kind := range provider.Kinds() {
			for _, f := range kind.Fields {
				page := b.Post("/settings/channels/"+kind.Name, http.StatusUnauthorized, "do", "save", f.Name, "value-of-the-field")
				if f.Secret {
					webtest.Lacks(t, page, `name="pending"`, "value-of-the-field")
				} else {
					webtest.Contains(t, page, `name="pending"`)
				}
			}
		}
	})
}
