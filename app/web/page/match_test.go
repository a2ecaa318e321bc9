package page

import "testing"

func TestMatchOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query string
		texts []string
		want  Match
	}{
		{"", []string{"Ana Ortiz"}, BeginsText},
		{" ana ", []string{"Ana Ortiz"}, BeginsText},
		{"ORT", []string{"Ana Ortiz"}, BeginsWord},
		{"ana ortiz", []string{"Ana Ortiz"}, MatchesText},
		{"rtiz", []string{"Ana Ortiz"}, MatchesPart},
		{"yilmaz", []string{"Emre Yılmaz"}, BeginsWord},
		{"ilic", []string{"Goran Ilić"}, BeginsWord},
		{"Ilić", []string{"goran ilic"}, BeginsWord},
		{"ben", []string{"Chiara Conti", "chiara@acme.example"}, NoMatch},
		{"acme", []string{"Chiara Conti", "chiara@acme.example"}, BeginsWord},
	} {
		if got := MatchOf(c.query, c.texts...); got != c.want {
			t.Errorf("%q among %q is %d, want %d", c.query, c.texts, got, c.want)
		}
	}
}
