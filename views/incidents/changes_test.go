package incidents

import (
	"strings"
	"testing"
)

func TestLongSummaryIsCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ summary, want string }{
		"short":              {"Deploy 4.2.1", "Deploy 4.2.1"},
		"as long as allowed": {strings.Repeat("é", maxSummary), strings.Repeat("é", maxSummary)},
		"words":              {strings.Repeat("word ", 40), strings.TrimSpace(strings.Repeat("word ", 31)) + "…"},
		"one word":           {strings.Repeat("é", maxSummary+1), strings.Repeat("é", maxSummary-1) + "…"},
		"a word, then one":   {"Deploy " + strings.Repeat("x", maxSummary), "Deploy " + strings.Repeat("x", maxSummary-8) + "…"},
	} {
		got, cut := Change{Summary: c.summary}.short()
		if got != c.want || cut != (got != c.summary) {
			t.Errorf("%s: %q, cut %v", name, got, cut)
		}
	}
}
