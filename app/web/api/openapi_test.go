package api_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/api"
)

// inOpenAPI writes a route of echo's as the description does.
func inOpenAPI(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

func TestOpenAPIListsEveryOperation(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		described := described(t, a).operations()
		var served []string
		for _, r := range a.Handler.(*web.Router).Routes() {
			if path, ok := strings.CutPrefix(r.Path, api.Prefix); ok && r.Method != http.MethodHead {
				served = append(served, r.Method+" "+inOpenAPI(path))
			}
		}
		slices.Sort(described)
		slices.Sort(served)
		if !slices.Equal(described, served) {
			t.Errorf("described:\n%s\nserved:\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
		}
	})
}

func TestOpenAPIListsEveryAct(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		d := described(t, a)
		for _, kind := range incident.ActKinds {
			path := "/incidents/{number}/" + kind.Name
			if described := d.operation("POST", path) != nil; described != kind.API {
				t.Errorf("%s: offered %v, described %v", kind.Name, kind.API, described)
			}
			if !kind.API {
				continue
			}
			fields := d.fields("POST", path)
			if want := slices.Sorted(slices.Values(kind.Fields)); !slices.Equal(fields, want) {
				t.Errorf("%s takes %q, and is described with %q", kind.Name, want, fields)
			}
		}
	})
}

// A list takes the parameters that it is described with, and refuses others.
func TestOpenAPIListsEveryParameter(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		d := described(t, a)
		for _, r := range api.Operations() {
			if names := d.query(r.Method, inOpenAPI(r.Path)); !slices.Equal(names, r.Query) {
				t.Errorf("%s %s takes %q, and is described with %q", r.Method, r.Path, r.Query, names)
			}
		}
		w := a.As(auth.Read, "GET", "/api/v1/incidents?foo=1&status=triggered&Limit=2", "")
		p := webtest.Decode[web.Problem](t, w, 422)
		if want := `Here is no parameter "Limit", "foo"; there are status, service, team, priority, limit, cursor.`; p.Detail != want {
			t.Errorf("got %q, want %q", p.Detail, want)
		}
	})
}

// A filter that is written wrong must not answer everything.
func TestUnreadableQueryIsRejected(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for path, want := range map[string]int{
			"/incidents?status=res%ZZolved":               400,
			"/incidents?status=resolved;limit=1":          400,
			"/oncall?schedule=payments;at=2026-11-23":     400,
			"/incidents?service=a&service=b":              422,
			"/incidents?status=triggered&status=resolved": 200,
		} {
			webtest.Decode[map[string]any](t, a.As(auth.Read, "GET", "/api/v1"+path, ""), want)
		}
		p := webtest.Decode[web.Problem](t, a.As(auth.Read, "GET", "/api/v1/teams/payments/", ""), 404)
		if p.Detail != "There is nothing at this address." {
			t.Errorf("a slash after a team: %q", p.Detail)
		}
	})
}

// TestResponsesMatchOpenAPI asks for every operation, in its good and its bad
// cases, and holds each answer against its schema.
func TestResponsesMatchOpenAPI(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		d := described(t, a)
		a.PostBreach("a")
		a.RunDue()
		responder, manager, reader := a.Token(auth.Responder), a.Token(auth.Manager), a.Token(auth.Read)
		asked := map[string]bool{}
		for _, c := range []struct {
			token, method, path, body string
			status                    int
		}{
			{reader, "GET", "/incidents", "", 200},
			{reader, "GET", "/incidents?status=triggered,acknowledged&priority=2&limit=1&service=checkout-api&team=payments", "", 200},
			{reader, "GET", "/incidents?limit=999", "", 422},
			{"", "GET", "/incidents", "", 401},
			{responder, "POST", "/incidents", `{"title":"b","service":"checkout-api","deployment":"prod-eu","priority":null,"description":"c"}`, 201},
			{reader, "POST", "/incidents", `{"title":"b","service":"checkout-api"}`, 403},
			{responder, "POST", "/incidents", `{"title":"b","service":"none"}`, 422},
			{reader, "GET", "/incidents/1", "", 200},
			{reader, "GET", "/incidents/99", "", 404},
			{reader, "GET", "/incidents/1/timeline", "", 200},
			{reader, "GET", "/incidents/1/pages", "", 200},
			{reader, "GET", "/incidents/2/pages", "", 200},
			{responder, "POST", "/incidents/1/acknowledge", "", 200},
			{responder, "POST", "/incidents/1/unacknowledge", "{}", 200},
			{responder, "POST", "/incidents/1/unacknowledge", "{}", 409},
			{responder, "POST", "/incidents/1/escalate", "{}", 200},
			{responder, "POST", "/incidents", `{"title":"c","users":["ben@acme.example"],"teams":["payments"],"schedules":["payments"]}`, 201},
			{responder, "POST", "/incidents/1/responders", `{"users":["ben@acme.example"],"message":"look"}`, 200},
			{responder, "POST", "/incidents/1/responders", `{"users":["nobody@acme.example"]}`, 422},
			{reader, "GET", "/incidents/1/responders", "", 200},
			{reader, "GET", "/incidents/99/responders", "", 404},
			{responder, "POST", "/incidents/1/decline", `{"reason":"ill"}`, 409},
			{responder, "POST", "/incidents/1/handover", `{"user":"ben@acme.example"}`, 200},
			{responder, "POST", "/incidents/1/take-over", "", 409},
			{responder, "POST", "/incidents/1/snooze", `{"for":"1h"}`, 200},
			{responder, "POST", "/incidents/1/snooze", `{"for":"-1h"}`, 422},
			{responder, "POST", "/incidents/1/unacknowledge", "{}", 200},
			{responder, "POST", "/incidents/1/priority", `{"priority":1,"reason":"worse"}`, 200},
			{responder, "POST", "/incidents/1/notes", `{"note":"n"}`, 200},
			{responder, "POST", "/incidents/1/notes", `{"note":`, 400},
			{responder, "POST", "/incidents/1/resolve", `{"resolution":"done"}`, 200},
			{responder, "POST", "/incidents/1/reopen", "", 200},
			{reader, "GET", "/incidents/1/timeline?limit=200", "", 200},
			{reader, "GET", "/oncall", "", 200},
			{reader, "GET", "/oncall?team=payments&at=2026-01-01T00:00:00Z", "", 200},
			{reader, "POST", "/simulate", `{"service":"checkout-api","breach":{"service":"a","sli":"b","slo":{"name":"c"},"incident_priority":2},"answers":[{"after":"1m"},{"after":"2m","action":"resolve"},{"after":"3m"}]}`, 200},
			{reader, "POST", "/simulate", `{"integration":"sre","at":null,"for":"31d","breach":{"service":"a","sli":"b","slo":{"name":"c"},"snooze":1}}`, 200},
			{reader, "POST", "/simulate", `{"integration":"sre","breach":{"status":"recovered","service":"a","sli":"b","slo":{"name":"c"}}}`, 200},
			{reader, "POST", "/simulate", `{"breach":{"sli":"b"}}`, 422},
			{"", "POST", "/simulate", `{}`, 401},
			{reader, "GET", "/schedules", "", 200},
			{reader, "GET", "/schedules/payments", "", 200},
			{reader, "GET", "/schedules/none", "", 404},
			{reader, "GET", "/schedules/payments/shifts?from=2026-12-20T00:00:00Z&to=2026-12-30T00:00:00Z&position=main", "", 200},
			{reader, "GET", "/schedules/payments/gaps?from=2025-12-20T00:00:00Z&to=2026-12-30T00:00:00Z&position=main", "", 422},
			{reader, "GET", "/schedules/payments/gaps?from=2025-12-20T00:00:00Z&to=2026-01-30T00:00:00Z&position=main", "", 200},
			{manager, "POST", "/schedules/payments/overrides", `{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","remove":"everyone"}`, 201},
			{manager, "DELETE", "/schedules/payments/overrides/1", "", 200},
			{reader, "GET", "/teams", "", 200},
			{reader, "GET", "/services", "", 200},
			{reader, "GET", "/deployments", "", 200},
			{reader, "GET", "/priorities?limit=1", "", 200},
			{reader, "GET", "/integrations", "", 200},
			{reader, "GET", "/users", "", 200},
			{reader, "GET", "/escalation-policies", "", 200},
			{reader, "GET", "/teams/payments", "", 200},
			{reader, "GET", "/teams/none", "", 404},
			{reader, "GET", "/services/checkout-api", "", 200},
			{reader, "GET", "/deployments/prod-eu", "", 200},
			{reader, "GET", "/priorities/2", "", 200},
			{reader, "GET", "/priorities/9", "", 404},
			{reader, "GET", "/integrations/sre", "", 200},
			{reader, "GET", "/users/ana@acme.example", "", 200},
			{reader, "GET", "/users/Ana%40Acme.example", "", 200},
			{reader, "GET", "/users/none@acme.example", "", 404},
			{reader, "GET", "/escalation-policies/payments", "", 200},
			{"", "GET", "/services/checkout-api", "", 401},
			{reader, "GET", "/incidents?foo=1", "", 422},
			{reader, "GET", "/users?email=ana@acme.example", "", 422},
			{"", "GET", "/openapi.json", "", 200},
		} {
			path, _, _ := strings.Cut(c.path, "?")
			w := a.Do(c.method, api.Prefix+c.path, c.body, "Authorization", "Bearer "+c.token)
			if w.Code != c.status {
				t.Errorf("%s %s is answered %d, want %d: %s", c.method, c.path, w.Code, c.status, w.Body)
				continue
			}
			if err := d.check(c.method, path, w.Code, w.Header(), w.Body.Bytes()); err != nil {
				t.Errorf("%s %s %d: %v\n%s", c.method, c.path, c.status, err, w.Body)
			}
			if c.status < 300 {
				asked[c.method+" "+path] = true
			}
		}
		// What only a person can do is asked for by a session.
		a.As(auth.Responder, "POST", api.Prefix+"/incidents/1/responders", `{"users":["ana@acme.example"]}`)
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		for _, act := range []string{"decline", "take-over"} {
			path := "/incidents/1/" + act
			w := ana.Do("POST", api.Prefix+path, nil)
			if err := d.check("POST", path, w.Code, w.Header(), w.Body.Bytes()); err != nil || w.Code != 200 {
				t.Errorf("%s is answered %d: %v\n%s", act, w.Code, err, w.Body)
			}
			asked["POST "+path] = true
		}
		for _, r := range api.Operations() {
			pattern := regexp.MustCompile("^" + r.Method + " " + regexp.MustCompile(":[a-z]+").ReplaceAllString(r.Path, "[^/]+") + "$")
			if !slices.ContainsFunc(slices.Collect(maps.Keys(asked)), pattern.MatchString) {
				t.Errorf("%s %s was not asked for", r.Method, r.Path)
			}
		}
	})
}

// TestOpenAPICheckFindsErrors keeps the test above honest.
func TestOpenAPICheckFindsErrors(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		d := described(t, a)
		header := http.Header{"Content-Type": {"application/json"}}
		if err := d.check("GET", "/incidents", 200, header, []byte(`{"items":[],"next_cursor":null}`)); err != nil {
			t.Errorf("it refuses an empty list: %v", err)
		}
		for _, body := range []string{`{"items":[],"next_cursor":7}`, `{"items":[{"number":1}],"next_cursor":null}`, `{"items":[],"next_cursor":null,"more":true}`, `{`, ``} {
			if d.check("GET", "/incidents", 200, header, []byte(body)) == nil {
				t.Errorf("it takes %s", body)
			}
		}
		if d.check("GET", "/incidents", 200, http.Header{"Content-Type": {"text/plain"}}, []byte(`{"items":[],"next_cursor":null}`)) == nil {
			t.Error("it takes a list as text")
		}
		if d.check("GET", "/incidents", 204, header, nil) == nil {
			t.Error("it takes an answer that is not described")
		}
	})
}

// What the description shows as an example is one.
func TestOpenAPIExamples(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		d, seen := described(t, a), 0
		for _, operation := range d.operations() {
			method, path, _ := strings.Cut(operation, " ")
			within := []string{"paths", path, strings.ToLower(method)}
			places := [][]string{append(slices.Clone(within), "requestBody", "content", "application/json")}
			for status := range d.operation(method, path)["responses"].(map[string]any) {
				places = append(places, append(slices.Clone(within), "responses", status, "content", "application/json"))
			}
			for _, place := range places {
				example, at := d.find(append(place, "example")...)
				if at == nil {
					continue
				}
				seen++
				if err := d.validate(example, append(place, "schema")...); err != nil {
					t.Errorf("the example of %s %v: %v", operation, place[3:], err)
				}
			}
		}
		if seen == 0 {
			t.Error("there is no example")
		}
	})
}
