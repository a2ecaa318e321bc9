package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// What is missing is not told to be wrong, nor what is wrong to be missing.
func TestMissingIsNotWrong(t *testing.T) {
	const (
		overrides = "/schedules/payments/overrides"
		from, to  = `"from":"2026-11-24T08:00:00Z"`, `"to":"2026-11-25T08:00:00Z"`
		add       = `"add":"ana@acme.example"`
		missing   = "is missing"
		badYear   = "must be a time from the year 2000 to 9000"
	)
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		for _, c := range []struct {
			path, body string
			want       map[string]string
		}{
			{overrides, `{` + from + `,` + add + `}`, map[string]string{"to": missing}},
			{overrides, `{` + from + `,"to":null,` + add + `}`, map[string]string{"to": missing}},
			{overrides, `{` + add + `}`, map[string]string{"from": missing, "to": missing}},
			{overrides, `{"from":"0001-01-01T00:00:00Z",` + to + `,` + add + `}`, map[string]string{"from": badYear}},
			{overrides, `{` + from + `,` + to + `,"replace":"ben@acme.example"}`, map[string]string{"with": missing}},
			{overrides, `{` + from + `,` + to + `,"with":"ben@acme.example"}`, map[string]string{"replace": missing}},
			{"/incidents", `{}`, map[string]string{"title": missing, "service": missing}},
			{"/incidents", `{"title":" ","service":"none"}`, map[string]string{"title": "must not be blank", "service": "must be the slug or the name of a service"}},
			{"/incidents/1/priority", `{}`, map[string]string{"priority": "is missing; 0 is no priority, null unsets it"}},
			{"/simulate", `{"service":"checkout-api"}`, map[string]string{"breach": missing}},
			{
				"/simulate", `{"service":"checkout-api","breach":{"service":"a","sli":"b","slo":{"name":"c"}},"answers":[{},{"after":"soon"}]}`,
				map[string]string{"answers[0].after": missing, "answers[1].after": "must be a length of time such as 5m"},
			},
		} {
			p := webtest.Decode[web.Problem](t, a.As(auth.Manager, "POST", "/api/v1"+c.path, c.body), 422)
			got := map[string]string{}
			for _, e := range p.Errors {
				got[e.Path] = e.Message
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", c.path, c.body, diff)
			}
		}
	})
}
