package excerpt_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/excerpt"
)

func TestBegin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text   string
		length int
		want   string
	}{
		{"Checkout", 8, "Checkout"}, {"Checkout!", 8, "Checkou…"}, {"Größe", 5, "Größe"}, {"Größen", 5, "Größ…"},
		{"cafe\u0301 au lait", 5, "caf…"}, // an accent of its own stays with its letter
		{"ab👩\u200d🚒cd", 4, "ab…"},        // a joined emoji
		{"ab👍🏽cd", 4, "ab…"},              // a skin tone
		{"a🇩🇪🇫🇷b", 4, "a🇩🇪…"},             // flags
		{"a🇩🇪🇫🇷bc", 5, "a🇩🇪…"},
		{"\u0301\u0301\u0301\u0301", 2, "…"}, // nothing but marks
	} {
		if got := excerpt.Begin(test.text, test.length, "…"); got != test.want {
			t.Errorf("%q to %d: %q, want %q", test.text, test.length, got, test.want)
		}
	}
}

func TestEndsKeepsBothEnds(t *testing.T) {
	t.Parallel()
	long := "GET /api/v1/organizations/{organization}/projects/{project}/"
	a, b := excerpt.Ends(long+"data", 40, "..."), excerpt.Ends(long+"logs", 40, "...")
	if a == b || !strings.HasPrefix(a, "GET /api/v1/") || !strings.HasSuffix(a, "/data") || utf8.RuneCountInString(a) != 40 {
		t.Errorf("%q and %q", a, b)
	}
	if got, want := excerpt.Ends("ab"+strings.Repeat("x", 20)+"e\u0301f", 5, "…"), "ab…f"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is shortened is valid, within its length, and never begins or ends within a
// character.
func TestShortenedTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("aé\u0301👩\u200d🚒👍🏽🇩🇪ü \ufe0f"))).Draw(t, "text")
		length := rapid.IntRange(2, 30).Draw(t, "length")
		for _, got := range []string{excerpt.Begin(text, length, "…"), excerpt.Ends(text, length, "…")} {
			if !utf8.ValidString(got) || utf8.RuneCountInString(got) > length {
				t.Fatalf("%q to %d: %q", text, length, got)
			}
		}
		begin, cut := strings.CutSuffix(excerpt.Begin(text, length, "…"), "…")
		if runes := []rune(text); cut && excerpt.Boundary(runes, utf8.RuneCountInString(begin)) != utf8.RuneCountInString(begin) {
			t.Fatalf("%q is cut within a character: %q", text, begin)
		}
	})
}
