package start

import (
	"strings"
	"testing"
)

func TestSlugOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Checkout API": "checkout-api", "  A  &  B ": "a-b", "检索": "", "Zahlung für 2": "zahlung-f-r-2", strings.Repeat("ab ", 40): strings.Repeat("ab-", 16) + "ab",
	} {
		if got := slugOf(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}
