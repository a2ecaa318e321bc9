package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// access is the status that each caller gets, in the order of callers.
type access [12]int

// callers are nobody, the browsers of people, and API tokens by their scope. Ana is
// a responder of the example's team, and Dana its manager; the other responder and
// the other manager belong to no team.
var callers = [len(access{})]string{
	"nobody",
	"stakeholder", "responder", "ana@acme.example", "manager", "dev.manager@acme.example", "administrator",
	"token read", "token stakeholder", "token responder", "token manager", "token administrator",
}

// toSignIn stands for a redirect to the sign-in page, unlike any other 303, and for the
// sign-in page itself in answer to a form.
const toSignIn = -http.StatusSeeOther

func everyone(s int) access { return access{s, s, s, s, s, s, s, s, s, s, s, s} }

// page is the access to a page, which reads no API token.
func page(stakeholder, responder, member, manager, teamManager, administrator int) access {
	const to = toSignIn
	return access{to, stakeholder, responder, member, manager, teamManager, administrator, to, to, to, to, to}
}

func signedIn(s int) access       { return page(s, s, s, s, s, s) }
func responders(s int) access     { return page(403, s, s, s, s, s) }
func teamManagers(s int) access   { return page(403, 403, 403, 403, s, s) }
func administrators(s int) access { return page(403, 403, 403, 403, 403, s) }

// read and act are the access to the API, for a session or a token.
func read(s int) access       { return access{401, 403, s, s, s, s, s, s, 403, s, s, s} }
func act(s int) access        { return access{401, 403, s, s, s, s, s, 403, 403, s, s, s} }
func readOnCall(s int) access { return access{401, s, s, s, s, s, s, s, s, s, s, s} }

// permission is one row of the table. The path is one of the route's.
type permission struct {
	route, path, body string
	want              access
}

// permissions are of every route. HEAD is as GET. A request that is allowed gets the
// status of an empty or incomplete form where that is no success, so that rows do not
// depend on each other.
var permissions = []permission{
	{"GET /healthz", "/healthz", "", everyone(200)},
	{"GET /readyz", "/readyz", "", everyone(200)},
	{"GET /static/*", "/static/nothing", "", everyone(404)},
	{"GET /metrics", "/metrics", "", access{401, 401, 401, 401, 401, 401, 401, 200, 403, 200, 200, 200}},
	{"GET /live", "/live", "", read(200)},

	// Signals need an integration's key, which no API token is.
	{"POST /webhooks/slo", "/webhooks/slo", "{}", everyone(401)},
	{"POST /webhooks/slo/:key", "/webhooks/slo/unknown", "{}", everyone(401)},
	{"POST /webhooks/slo/:key/", "/webhooks/slo/unknown/", "{}", everyone(401)},
	{"POST /webhooks/alertmanager", "/webhooks/alertmanager", "{}", everyone(401)},
	{"POST /webhooks/alertmanager/:key", "/webhooks/alertmanager/unknown", "{}", everyone(401)},
	{"POST /webhooks/alertmanager/:key/", "/webhooks/alertmanager/unknown/", "{}", everyone(401)},
	{"POST /v2/enqueue", "/v2/enqueue", "{}", everyone(400)},
	{"POST /v2/change/enqueue", "/v2/change/enqueue", "{}", everyone(400)},
	// Callbacks need the provider's signature.
	{"POST /twilio/sms", "/twilio/sms", "", everyone(403)},
	{"POST /twilio/status/:attempt", "/twilio/status/1", "", everyone(403)},

	{"GET /", "/", "", signedIn(303)},
	{"GET /oncall", "/oncall", "", signedIn(200)},
	{"GET /search", "/search", "", signedIn(200)},
	{"GET /start", "/start", "", responders(200)},
	{"POST /start/service", "/start/service", "", administrators(303)},
	{"POST /start/test", "/start/test", "", responders(303)},
	{"GET /incidents", "/incidents", "", responders(200)},
	{"POST /incidents/acknowledge", "/incidents/acknowledge", "", responders(303)},
	{"GET /incidents/new", "/incidents/new", "", responders(200)},
	{"POST /incidents/new", "/incidents/new", "", responders(422)},
	{"GET /page", "/page", "", responders(200)},
	{"POST /page", "/page", "", responders(422)},
	{"GET /incidents/:number", "/incidents/1", "", responders(200)},
	{"GET /incidents/:number", "/incidents/x", "", responders(404)},
	{"GET /incidents/:number/pages/:id", "/incidents/1/pages/1", "", responders(200)},
	{"POST /incidents/:number/acknowledge", "/incidents/1/acknowledge", "", responders(303)},
	{"POST /incidents/:number/resolve", "/incidents/1/resolve", "", responders(303)},
	{"POST /incidents/:number/undo-resolve", "/incidents/1/undo-resolve", "", responders(303)},
	{"POST /incidents/:number/reopen", "/incidents/1/reopen", "", responders(303)},
	{"POST /incidents/:number/escalate", "/incidents/1/escalate", "", responders(303)},
	{"POST /incidents/:number/priority", "/incidents/1/priority", "", responders(422)},
	{"POST /incidents/:number/notes", "/incidents/1/notes", "", responders(422)},
	{"POST /incidents/resolve", "/incidents/resolve", "", responders(303)},
	{"POST /incidents/undo", "/incidents/undo", "", responders(400)},
	{"POST /incidents/:number/undo-acknowledge", "/incidents/1/undo-acknowledge", "", responders(303)},
	{"POST /incidents/:number/unacknowledge", "/incidents/1/unacknowledge", "", responders(303)},
	{"GET /incidents/:number/responders", "/incidents/1/responders", "", responders(200)},
	{"POST /incidents/:number/responders", "/incidents/1/responders", "", responders(422)},
	{"POST /incidents/:number/decline", "/incidents/1/decline", "", responders(303)},
	{"GET /incidents/:number/handover", "/incidents/1/handover", "", responders(200)},
	{"POST /incidents/:number/handover", "/incidents/1/handover", "", responders(422)},
	{"POST /incidents/:number/take-over", "/incidents/1/take-over", "", responders(303)},
	{"POST /incidents/:number/snooze", "/incidents/1/snooze", "", responders(303)},
	{"GET /schedules", "/schedules", "", responders(200)},
	{"GET /schedules/:slug", "/schedules/payments", "", responders(200)},
	{"GET /schedules/:slug", "/schedules/nothing", "", responders(404)},
	{"POST /schedules/:slug/overrides/:id/end", "/schedules/payments/overrides/99999/end", "", page(403, 403, 303, 403, 303, 303)},
	{"POST /schedules/:slug/overrides/:id/end", "/schedules/coordinators/overrides/99999/end", "", page(403, 403, 403, 403, 403, 303)},
	{"GET /policies", "/policies", "", responders(200)},
	{"GET /policies/:slug", "/policies/payments", "", responders(200)},
	{"GET /policies/:slug", "/policies/nothing", "", responders(404)},
	{"GET /services", "/services", "", signedIn(200)},
	{"GET /services/:slug", "/services/checkout-api", "", signedIn(200)},
	{"GET /services/:slug", "/services/nothing", "", signedIn(404)},
	{"GET /teams", "/teams", "", responders(200)},
	{"GET /teams/:slug", "/teams/payments", "", responders(200)},
	{"GET /teams/:slug", "/teams/nothing", "", responders(404)},
	{"GET /integrations", "/integrations", "", responders(200)},
	{"GET /integrations/:slug", "/integrations/sre", "", responders(200)},
	{"GET /integrations/:slug", "/integrations/nothing", "", responders(404)},
	{"POST /integrations/:slug/test", "/integrations/sre/test", "", responders(303)},
	{"POST /integrations/:slug/key", "/integrations/sre/key", "", teamManagers(200)},
	{"POST /integrations/:slug/rejected/:id/replay", "/integrations/sre/rejected/1/replay", "", teamManagers(404)},
	{"GET /people", "/people", "", responders(200)},
	{"POST /people", "/people", "", administrators(422)},
	{"POST /people/invitations", "/people/invitations", "role=responder&email=no", page(403, 403, 403, 403, 403, 422)},
	{"POST /people/invitations", "/people/invitations?role=responder&team=payments&email=no", "", teamManagers(422)},
	{"POST /people/invitations/:id/revoke", "/people/invitations/99999/revoke", "", responders(404)},
	{"GET /people/:id", "/people/1", "", responders(200)},
	{"GET /people/:id", "/people/99999", "", responders(404)},
	{"POST /people/:id", "/people/1", "", administrators(422)},
	{"POST /people/:id/deactivate", "/people/99999/deactivate", "", administrators(404)},
	{"POST /people/:id/activate", "/people/99999/activate", "", administrators(404)},
	{"POST /people/:id/link", "/people/1/link", "", administrators(200)},
	{"GET /settings/channels", "/settings/channels", "", administrators(200)},
	{"POST /settings/channels/:provider", "/settings/channels/smtp", "", administrators(400)},
	{"GET /me", "/me", "", signedIn(200)},
	{"POST /me/profile", "/me/profile", "", signedIn(422)},
	{"GET /welcome", "/welcome", "", signedIn(200)},
	{"POST /me/privacy", "/me/privacy", "", signedIn(303)},
	{"POST /me/password", "/me/password", "", signedIn(422)},
	{"POST /me/rules", "/me/rules", "", signedIn(400)},
	{"POST /me/contacts", "/me/contacts", "", signedIn(422)},
	// Nobody here has this contact method; a verification does not tell whose it is.
	{"POST /me/contacts/:id/verify", "/me/contacts/99999/verify", "", signedIn(422)},
	{"POST /me/contacts/:id/code", "/me/contacts/99999/code", "", signedIn(404)},
	{"POST /me/contacts/:id/remove", "/me/contacts/99999/remove", "", signedIn(404)},

	// The token in the path gives the permission; this one is none.
	{"GET /a/:token", "/a/unknown", "", everyone(404)},
	{"POST /a/:token", "/a/unknown", "", everyone(404)},
	{"GET /password/:token", "/password/unknown", "", everyone(404)},
	{"POST /password/:token", "/password/unknown", "", everyone(404)},
	{"GET /invite/:token", "/invite/unknown", "", everyone(404)},
	{"POST /invite/:token", "/invite/unknown", "", everyone(404)},
	{"GET /setup/:token", "/setup/unknown", "", everyone(404)},
	{"POST /setup/:token", "/setup/unknown", "", everyone(404)},
	{"GET /sign-in", "/sign-in", "", access{200, 303, 303, 303, 303, 303, 303, 200, 200, 200, 200, 200}},
	{"POST /sign-in", "/sign-in", "", everyone(422)},

	{"GET /api/v1/openapi.json", "/api/v1/openapi.json", "", everyone(200)},
	{"GET /api/v1/incidents", "/api/v1/incidents", "", read(200)},
	{"POST /api/v1/incidents", "/api/v1/incidents", "{}", act(422)},
	{"GET /api/v1/incidents/:number", "/api/v1/incidents/1", "", read(200)},
	{"GET /api/v1/incidents/:number/timeline", "/api/v1/incidents/1/timeline", "", read(200)},
	{"GET /api/v1/incidents/:number/pages", "/api/v1/incidents/1/pages", "", read(200)},
	{"GET /api/v1/incidents/:number/responders", "/api/v1/incidents/1/responders", "", read(200)},
	{"POST /api/v1/incidents/:number/acknowledge", "/api/v1/incidents/99999/acknowledge", "", act(404)},
	{"POST /api/v1/incidents/:number/unacknowledge", "/api/v1/incidents/99999/unacknowledge", "", act(404)},
	{"POST /api/v1/incidents/:number/resolve", "/api/v1/incidents/99999/resolve", "", act(404)},
	{"POST /api/v1/incidents/:number/reopen", "/api/v1/incidents/99999/reopen", "", act(404)},
	{"POST /api/v1/incidents/:number/escalate", "/api/v1/incidents/99999/escalate", "", act(404)},
	{"POST /api/v1/incidents/:number/priority", "/api/v1/incidents/99999/priority", `{"priority":1}`, act(404)},
	{"POST /api/v1/incidents/:number/notes", "/api/v1/incidents/99999/notes", `{"note":"a"}`, act(404)},
	{"POST /api/v1/incidents/:number/responders", "/api/v1/incidents/99999/responders", "{}", act(422)},
	{"POST /api/v1/incidents/:number/decline", "/api/v1/incidents/99999/decline", "", act(404)},
	{"POST /api/v1/incidents/:number/handover", "/api/v1/incidents/99999/handover", "{}", act(422)},
	{"POST /api/v1/incidents/:number/take-over", "/api/v1/incidents/99999/take-over", "", act(404)},
	{"POST /api/v1/incidents/:number/snooze", "/api/v1/incidents/99999/snooze", `{"for":"1h"}`, act(404)},
	{"GET /api/v1/oncall", "/api/v1/oncall", "", readOnCall(200)},
	{"POST /api/v1/simulate", "/api/v1/simulate", "{}", read(422)},
	{"GET /api/v1/schedules", "/api/v1/schedules", "", read(200)},
	{"GET /api/v1/schedules/:slug", "/api/v1/schedules/payments", "", read(200)},
	{"GET /api/v1/schedules/:slug/shifts", "/api/v1/schedules/payments/shifts", "", read(200)},
	{"GET /api/v1/schedules/:slug/gaps", "/api/v1/schedules/payments/gaps", "", read(200)},
	// Only for members of the team, its manager, and tokens of a manager's scope.
	{"POST /api/v1/schedules/:slug/overrides", "/api/v1/schedules/payments/overrides", "{}", access{401, 403, 403, 422, 403, 422, 422, 403, 403, 403, 422, 422}},
	// Of a schedule without a team, only for administrators and those tokens.
	{"POST /api/v1/schedules/:slug/overrides", "/api/v1/schedules/coordinators/overrides", "{}", access{401, 403, 403, 403, 403, 403, 422, 403, 403, 403, 422, 422}},
	{"DELETE /api/v1/schedules/:slug/overrides/:id", "/api/v1/schedules/payments/overrides/99999", "", access{401, 403, 403, 404, 403, 404, 404, 403, 403, 403, 404, 404}},
	{"DELETE /api/v1/schedules/:slug/overrides/:id", "/api/v1/schedules/coordinators/overrides/99999", "", access{401, 403, 403, 403, 403, 403, 404, 403, 403, 403, 404, 404}},
	{"GET /api/v1/teams", "/api/v1/teams", "", read(200)},
	{"GET /api/v1/teams/:slug", "/api/v1/teams/payments", "", read(200)},
	{"GET /api/v1/services", "/api/v1/services", "", readOnCall(200)},
	{"GET /api/v1/services/:slug", "/api/v1/services/checkout-api", "", readOnCall(200)},
	{"GET /api/v1/deployments", "/api/v1/deployments", "", readOnCall(200)},
	{"GET /api/v1/deployments/:slug", "/api/v1/deployments/prod-eu", "", readOnCall(200)},
	{"GET /api/v1/priorities", "/api/v1/priorities", "", readOnCall(200)},
	{"GET /api/v1/priorities/:level", "/api/v1/priorities/1", "", readOnCall(200)},
	{"GET /api/v1/integrations", "/api/v1/integrations", "", read(200)},
	{"GET /api/v1/integrations/:slug", "/api/v1/integrations/sre", "", read(200)},
	{"GET /api/v1/users", "/api/v1/users", "", read(200)},
	{"GET /api/v1/users/:email", "/api/v1/users/ana@acme.example", "", read(200)},
	{"GET /api/v1/escalation-policies", "/api/v1/escalation-policies", "", read(200)},
	{"GET /api/v1/escalation-policies/:slug", "/api/v1/escalation-policies/payments", "", read(200)},

	// This one stays last, since it ends the sessions.
	{"POST /sign-out", "/sign-out", "", everyone(toSignIn)},
}

// TestEveryRouteHasPermissions fails for a route that is not in the table, and for
// a row whose route does not exist.
func TestEveryRouteHasPermissions(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		mounted := map[string]bool{}
		for _, r := range a.Handler.(*web.Router).Routes() {
			mounted[strings.Replace(r.Method, http.MethodHead, http.MethodGet, 1)+" "+r.Path] = true
		}
		listed := map[string]bool{}
		pathOf := func(p permission) string { path, _, _ := strings.Cut(p.path, "?"); return path }
		for _, p := range permissions {
			listed[p.route] = true
			if !mounted[p.route] {
				t.Errorf("the table has the route %s, which does not exist", p.route)
			}
			if _, pattern, _ := strings.Cut(p.route, " "); !matches(pattern, pathOf(p)) {
				t.Errorf("the path %s is none of the route %s", p.path, p.route)
			}
		}
		for route := range mounted {
			if !listed[route] {
				t.Errorf("the table lacks the route %s", route)
			}
		}
	})
}

// matches reports whether a path is one of a route's. Only the last part of a
// pattern may be an asterisk.
func matches(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i := range want {
		if len(want) != len(got) || !strings.HasPrefix(want[i], ":") && want[i] != got[i] {
			return false
		}
	}
	return true
}

func TestRoutePermissions(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		a.RunDue()
		var headers [len(callers)][]string
		for i, who := range callers {
			if scope, ok := strings.CutPrefix(who, "token "); ok {
				headers[i] = []string{"Authorization", "Bearer " + a.Token(auth.Role(scope))}
			} else if who != "nobody" {
				headers[i] = []string{"Cookie", a.SignIn(who).Cookie()}
			}
		}
		a.Live.Close() // streams end as soon as they have begun
		for _, p := range permissions {
			method, _, _ := strings.Cut(p.route, " ")
			methods := []string{method}
			if method == http.MethodGet && p.path != "/live" { // a stream has no HEAD
				methods = append(methods, http.MethodHead)
			}
			for _, method := range methods {
				for i, who := range callers {
					answer := webtest.Do(a.Handler, method, p.path, p.body, headers[i]...)
					if got := statusOf(answer); got != p.want[i] {
						t.Errorf("%s %s is answered %d to %s, want %d: %.300s", method, p.path, got, who, p.want[i], answer.Body)
					}
				}
			}
		}
	})
}

func statusOf(answer *httptest.ResponseRecorder) int {
	if answer.Code == http.StatusSeeOther && strings.HasPrefix(answer.Header().Get("Location"), "/sign-in") {
		return toSignIn
	}
	if answer.Code == http.StatusUnauthorized && strings.Contains(answer.Body.String(), "data-sign-in") {
		return toSignIn
	}
	return answer.Code
}
