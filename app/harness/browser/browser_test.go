package browser_test

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

const page = `<!doctype html>
<html lang="en"><head><title>Incident 17</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>
  body { background: white; color: black; }
  button, input, select { font-size: 16px; min-height: 56px; }
  @media (prefers-color-scheme: dark) { body { background: black; color: white; } }
</style></head>
<body><main><h1>Incident 17</h1>
%s
</main></body></html>`

// serve answers every GET with a page around the body, and a POST with what
// its form held.
func serve(t *testing.T, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		shown := body
		if r.Method == http.MethodPost {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			shown = "<p>Received " + r.PostForm.Encode() + "</p>"
		}
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprintf(w, page, shown)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const form = `<form method="post">
	<label for="note">Note</label><input id="note" name="note" value="old">
	<label>Priority <select name="priority"><option value="">None</option><option value="1">P1, hotfix</option></select></label>
	<label>Until <input type="date" name="until"></label>
	<label><input type="checkbox" name="quiet" value="yes">Tell nobody</label>
	<button>Acknowledge</button><button hidden>Resolve</button></form>`

func TestForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		device  browser.Device
		options []browser.Option
	}{
		{"on a phone", browser.Phone, nil},
		{"at a desk", browser.Desktop, nil},
		{"without scripts", browser.Phone, []browser.Option{browser.JavaScriptOff()}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, form)
			tab := browser.New(t, test.device, browser.Light, test.options...)
			if got := tab.Open(url); got != http.StatusOK {
				t.Fatalf("status %d", got)
			}
			tab.Fill("Note", "rolled back & watching")
			tab.Fill("priority", "P1, hotfix")
			tab.Fill("Until", "2026-11-23")
			tab.Click("Tell nobody")
			tab.Click("Acknowledge")
			tab.WaitFor("Received note=rolled+back+%26+watching&priority=1&quiet=yes&until=2026-11-23")
			tab.WaitGone("Tell nobody")
			if diff := cmp.Diff([]string(nil), tab.Complaints()); diff != "" {
				t.Errorf("complaints (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEmulation(t *testing.T) {
	t.Parallel()
	url := serve(t, `<p id="js">Scripts are off</p><script>document.getElementById("js").textContent = "Scripts are on"</script>`)
	for _, test := range []struct {
		tab              *browser.Tab
		width, touch     float64
		background, zone string
		says             string
	}{
		{browser.New(t, browser.Phone, browser.Light), 390, 1, "rgb(255, 255, 255)", "UTC", "Scripts are on"},
		{browser.New(t, browser.Desktop, browser.Dark, browser.Zone("Asia/Kolkata")), 1280, 0, "rgb(0, 0, 0)", "Asia/Calcutta", "Scripts are on"},
		{browser.New(t, browser.Phone, browser.Dark, browser.JavaScriptOff()), 390, 1, "rgb(0, 0, 0)", "UTC", "Scripts are off"},
	} {
		test.tab.Open(url)
		test.tab.WaitFor(test.says)
		if got := browser.Eval[float64](test.tab, "innerWidth"); got != test.width {
			t.Errorf("the window is %v wide, want %v", got, test.width)
		}
		if got := browser.Eval[float64](test.tab, "Math.min(1, navigator.maxTouchPoints)"); got != test.touch {
			t.Errorf("touch %v, want %v", got, test.touch)
		}
		if got := browser.Eval[string](test.tab, "getComputedStyle(document.body).backgroundColor"); got != test.background {
			t.Errorf("background %s, want %s", got, test.background)
		}
		if got := browser.Eval[string](test.tab, "Intl.DateTimeFormat().resolvedOptions().timeZone"); got != test.zone {
			t.Errorf("zone %s, want %s", got, test.zone)
		}
	}
}

func TestTabsShareNoCookies(t *testing.T) {
	t.Parallel()
	url := serve(t, "")
	first, second := browser.New(t, browser.Phone, browser.Light), browser.New(t, browser.Phone, browser.Light)
	first.Open(url)
	browser.Eval[string](first, "document.cookie = 'session=1'")
	second.Open(url)
	if got := browser.Eval[string](second, "document.cookie"); got != "" {
		t.Errorf("the second tab has the cookies %q of the first", got)
	}
	if got := browser.Eval[string](first, "document.cookie"); got != "session=1" {
		t.Errorf("the first tab has the cookies %q", got)
	}
}

func TestAxe(t *testing.T) {
	t.Parallel()
	good := browser.New(t, browser.Phone, browser.Dark)
	good.Open(serve(t, form))
	if got := good.Axe(); len(got) != 0 {
		t.Errorf("a page without faults has %v", got)
	}
	bad := browser.New(t, browser.Phone, browser.Light)
	bad.Open(serve(t, `<p style="color: #ccc">Hardly there</p><input>
		<button style="all: unset; display: inline-block; width: 9px; height: 9px" aria-label="One"></button
		><button style="all: unset; display: inline-block; width: 9px; height: 9px" aria-label="Two"></button>`))
	rules := map[string]bool{}
	for _, violation := range bad.Axe() {
		rules[violation.Rule] = true
	}
	if diff := cmp.Diff(map[string]bool{"color-contrast": true, "label": true, "target-size": true}, rules); diff != "" {
		t.Errorf("broken rules (-want +got):\n%s", diff)
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		fmt.Fprintf(zip, page, "<p>"+strings.Repeat("Nothing new. ", 50_000)+"</p>")
		if err := zip.Close(); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	tab := browser.New(t, browser.Desktop, browser.Light)
	for range 2 { // the second time it starts from nothing again
		tab.Open(server.URL)
		tab.WaitFor("Nothing new.")
		if got := tab.Bytes(); got < 500 || got > 10_000 {
			t.Errorf("%d bytes, want the compressed size of a page of 650,000", got)
		}
	}
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	tab := browser.New(t, browser.Desktop, browser.Light)
	url := serve(t, `<script>console.error("said aloud"); throw new Error("thrown")</script><img alt="" src="/missing">`)
	tab.Open(url)
	all := strings.Join(tab.Complaints(), "\n")
	for _, want := range []string{"said aloud", "thrown", "/missing"} {
		if !strings.Contains(all, want) {
			t.Errorf("no complaint about %q in:\n%s", want, all)
		}
	}
	if got := tab.Open(url + "/missing"); got != http.StatusNotFound {
		t.Errorf("status %d, want 404", got)
	}
}

func TestOffline(t *testing.T) {
	t.Parallel()
	tab := browser.New(t, browser.Phone, browser.Light)
	tab.Open(serve(t, `<p id="out">Waiting</p><button id="send">Send</button><script>
		document.getElementById("send").onclick = () => fetch("/").then(() => "Sent", () => "Not sent")
			.then((s) => { document.getElementById("out").textContent = s + ", " + (navigator.onLine ? "online" : "offline") })
	</script>`))
	tab.Offline(true)
	tab.Click("Send")
	tab.WaitFor("Not sent, offline")
	tab.Offline(false)
	tab.ClickOn("#send")
	tab.WaitFor("Sent, online")
}

func TestMeasureAndKeys(t *testing.T) {
	t.Parallel()
	tab := browser.New(t, browser.Phone, browser.Light)
	tab.Open(serve(t, `<button style="position: fixed; left: 10px; bottom: 20px; width: 300px; height: 56px">Acknowledge</button>
		<script>addEventListener("keydown", (e) => { document.title = "Pressed " + e.key })</script>`))
	want := browser.Box{Left: 10, Top: 844 - 20 - 56, Width: 300, Height: 56}
	if diff := cmp.Diff(want, tab.Measure("button")); diff != "" {
		t.Errorf("the button stands elsewhere (-want +got):\n%s", diff)
	}
	tab.Press("/")
	if got := browser.Eval[string](tab, "document.title"); got != "Pressed /" {
		t.Errorf("title %q", got)
	}
	if !strings.Contains(tab.HTML(), "<h1>Incident 17</h1>") || !strings.Contains(tab.Text(), "Incident 17") {
		t.Errorf("text %q and HTML %q lack the heading", tab.Text(), tab.HTML())
	}
	if !strings.HasPrefix(tab.Location(), "http://127.0.0.1:") {
		t.Errorf("location %q", tab.Location())
	}
}

func TestScreenshot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shots")
	tab := browser.New(t, browser.Phone, browser.Dark)
	tab.Open(serve(t, form))
	t.Setenv("TOCSIN_SCREENSHOTS", "")
	tab.Screenshot("form")
	t.Setenv("TOCSIN_SCREENSHOTS", dir)
	tab.Screenshot("incident")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != "incident-phone-dark.png" {
		t.Fatalf("files %v, %v", files, err)
	}
	png, err := os.ReadFile(filepath.Join(dir, files[0].Name()))
	if err != nil || !strings.HasPrefix(http.DetectContentType(png), "image/png") {
		t.Errorf("%v, or no picture", err)
	}
}
