package element

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTimeHasDatetimeAndTitle(t *testing.T) {
	t.Parallel()
	c := clock(t, "Europe/Madrid")
	got := render(t, Ago(c, time.Date(2026, 11, 23, 2, 0, 8, 0, time.UTC)))
	want := `<time datetime="2026-11-23T02:00:08Z" title="Mon 23 Nov 2026, 03:00:08 CET (UTC+01:00)" data-ago>12 minutes ago</time>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSayAddsNoSpaces(t *testing.T) {
	t.Parallel()
	got := render(t, Say("by ", Strong("A & B"), ", <now>", If(false, " never"), If(true, ".")))
	if want := "by <strong>A &amp; B</strong>, &lt;now&gt;."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSayRejectsOtherTypes(t *testing.T) {
	t.Parallel()
	if err := Say(17).Render(t.Context(), &strings.Builder{}); err == nil {
		t.Error("a number in a sentence is not refused")
	}
}

func TestLinksOfSendersCannotRunScripts(t *testing.T) {
	t.Parallel()
	for _, href := range []string{"javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x"} {
		got := strings.ToLower(render(t, Outward(Link{Text: "Logs", Href: href})))
		if strings.Contains(got, "javascript:") || strings.Contains(got, "data:text") || strings.Contains(got, "vbscript") {
			t.Errorf("%q leads on: %s", href, got)
		}
	}
	if got := render(t, Outward(Link{Href: "https://logs.example.com/q?a=1&b=2"})); !strings.Contains(got, `href="https://logs.example.com/q?a=1&amp;b=2"`) {
		t.Errorf("an ordinary address is lost: %s", got)
	}
}

func TestInvalidFieldIsMarked(t *testing.T) {
	t.Parallel()
	got := render(t, TextField(Input{Name: "name", Label: "Name", Hint: "As on your badge", Field: Field{Value: `"><b>`, Error: "Write a name."}}))
	for _, want := range []string{`aria-invalid="true"`, `aria-describedby="field-name-error"`, `id="field-name-error"`, "Write a name.", `value="&#34;&gt;&lt;b&gt;"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	if strings.Contains(got, "badge") {
		t.Error("the hint stands beside the error")
	}
}

func TestVersionSince(t *testing.T) {
	t.Parallel()
	c := clock(t, "Europe/Madrid")
	day := func(n int) time.Time { return time.Date(2026, 11, n, 8, 0, 0, 0, time.UTC) }
	if got := render(t, InForce(c, time.Time{}, nil)); got != "" {
		t.Errorf("of what nobody knows: %s", got)
	}
	got := render(t, InForce(c, day(3), nil))
	if want := `Effective since <time datetime="2026-11-03T08:00:00Z">3 Nov 2026, 09:00</time>.`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = render(t, InForce(c, day(3), []time.Time{day(2), day(1)}))
	if !strings.Contains(got, "; earlier versions since ") || !strings.Contains(got, "2 Nov 2026, 09:00</time> and <time") || !strings.HasSuffix(got, "1 Nov 2026, 09:00</time>.") {
		t.Errorf("with earlier ones: %s", got)
	}
}

func TestCopyButtonsHaveDifferentNames(t *testing.T) {
	t.Parallel()
	got := render(t, Snippets("snippet", []Snippet{{Title: "Alertmanager"}, {Title: "curl"}}))
	for _, title := range []string{"Alertmanager", "curl"} {
		if want := `<span>Copy</span><span class="sr-only"> ` + title + `</span>`; !strings.Contains(got, want) {
			t.Errorf("no button has the name %q in %s", "Copy "+title, got)
		}
	}
}
