package web_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// A request of nobody, to whatever address, stores nothing.
func TestNobodyStoresAnything(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		param := regexp.MustCompile(`:\w+|\*`)
		before, tried := rows(t, a), 0
		for _, route := range a.Handler.(*web.Router).Routes() {
			if route.Method == http.MethodGet || route.Method == http.MethodHead {
				continue
			}
			path := param.ReplaceAllString(route.Path, "1")
			for _, headers := range [][]string{{"Content-Type", "application/x-www-form-urlencoded"}, {"Content-Type", "application/json", "Idempotency-Key", "one"}} {
				tried++
				w := webtest.Do(a.Handler, route.Method, path, "{}", headers...)
				for _, cookie := range w.Result().Cookies() {
					if cookie.Value != "" {
						t.Errorf("%s %s answers with the cookie %s", route.Method, path, cookie.Name)
					}
				}
			}
		}
		if diff := cmp.Diff(before, rows(t, a)); diff != "" || tried < 20 {
			t.Errorf("%d requests changed the numbers of rows:\n%s", tried, diff)
		}
	})
}

// rows counts those of every table.
func rows(t *testing.T, a *webtest.App) map[string]int {
	t.Helper()
	list := "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
	if a.DB.Dialect == db.SQLite {
		list = "SELECT name FROM sqlite_master WHERE type = 'table'"
	}
	found, err := a.DB.Read.QueryContext(t.Context(), list)
	a.Must(err)
	defer found.Close()
	var tables []string
	for found.Next() {
		var table string
		a.Must(found.Scan(&table))
		tables = append(tables, table)
	}
	a.Must(found.Err())
	counts := map[string]int{}
	for _, table := range tables {
		var n int
		a.Must(a.DB.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		counts[table] = n
	}
	return counts
}
