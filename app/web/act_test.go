package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestEveryActHasPermission(t *testing.T) {
	t.Parallel()
	administrator := auth.Actor{Kind: auth.Person, UserID: 1, Role: auth.Administrator}
	for _, kind := range incident.ActKinds {
		if err := auth.Allow(administrator, web.ActPermission(kind.Name), auth.Object{}); err != nil {
			t.Errorf("%s is refused to an administrator: %v", kind.Name, err)
		}
	}
	if err := auth.Allow(administrator, web.ActPermission("dance"), auth.Object{}); !fault.Is(err, fault.KindInternal) {
		t.Errorf("an act without a permission: %v, want an internal fault", err)
	}
}

// acting says for each role, and the scope of each token, whether it may act on
// incidents.
var acting = map[auth.Role]bool{
	auth.Read: false, auth.Stakeholder: false, auth.Responder: true, auth.Manager: true, auth.Administrator: true,
}

// expectActing fails unless a request was refused for want of permission exactly
// where it must be. One that is allowed may still be invalid, or a conflict.
func expectActing(t *testing.T, what string, status int, allowed bool) {
	t.Helper()
	switch {
	case !allowed && status != http.StatusForbidden:
		t.Errorf("%s is answered %d, want it forbidden", what, status)
	case allowed && status != http.StatusOK && status != http.StatusSeeOther && status != http.StatusConflict && status != http.StatusUnprocessableEntity:
		t.Errorf("%s is answered %d, want it allowed", what, status)
	}
}

func TestActsByAPINeedResponder(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		for _, kind := range incident.ActKinds {
			if !kind.API {
				continue
			}
			for scope, allowed := range acting {
				status := a.As(scope, http.MethodPost, "/api/v1/incidents/1/"+kind.Name, "{}").Code
				expectActing(t, kind.Name+" by a token with scope "+string(scope), status, allowed)
			}
		}
	})
}

func TestActsByFormNeedResponder(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		for _, role := range auth.Roles {
			b := a.SignIn(string(role))
			for _, kind := range incident.ActKinds {
				if kind.Web {
					status := b.Do(http.MethodPost, "/incidents/1/"+kind.Name, url.Values{}).Code
					expectActing(t, kind.Name+" by a "+string(role), status, acting[role])
				}
			}
		}
	})
}
