package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"

	"github.com/chromedp/chromedp"
)

// errNotInstalled says what to do, since no test is skipped for want of a
// browser.
var errNotInstalled = errors.New(`no browser was found: no chromium, chromium-browser or google-chrome in PATH.
Install one:  sudo apt-get install chromium   (Debian, Ubuntu)
Or set TOCSIN_CHROMIUM to the path of one`)

// chromium is the browser that the tests of one process share. It ends with
// the process.
var chromium = sync.OnceValues(start)

// process is a running browser.
type process struct {
	tabs context.Context // whose children are tabs
	// lifeline is held and never closed: when the process ends, the shell that removes
	// the profile sees the end of its input. If it were not held, the garbage collector
	// would close it.
	lifeline io.Closer
}

func start() (*process, error) {
	path, err := executable()
	if err != nil {
		return nil, err
	}
	profile, lifeline, err := temporaryProfile()
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("lang", "en-US"),
		// A quarter of the time, for what serves nobody in a test: a renderer in reserve and
		// pages kept for going back, beside what is off by default; code compiled well
		// that runs once.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,SpareRendererForSitePerProcess,BackForwardCache"),
		chromedp.Flag("renderer-process-limit", "1"),
		chromedp.Flag("js-flags", "--no-opt --no-maglev"),
		// Chromium's sandbox needs rights that it does not have as root.
		chromedp.Flag("no-sandbox", os.Geteuid() == 0),
	)
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &process{tabs: ctx, lifeline: lifeline}, nil
}

func executable() (string, error) {
	if given := os.Getenv("TOCSIN_CHROMIUM"); given != "" {
		return given, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNotInstalled
}

// temporaryProfile makes a directory that goes when this process has ended,
// however it ended: a shell waits for the end of its standard input, whose
// other end only this process holds. The browser ends at the same moment, but
// goes on writing until it has; hence several attempts.
func temporaryProfile() (dir string, lifeline io.Closer, err error) {
	if dir, err = os.MkdirTemp("", "tocsin-chromium-"); err != nil {
		return "", nil, err
	}
	remover := exec.Command("sh", "-c", `read -r _; for i in 1 2 3 4 5; do sleep 1; rm -rf "$1"; done`, "sh", dir)
	remover.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if lifeline, err = remover.StdinPipe(); err != nil {
		return "", nil, err
	}
	return dir, lifeline, remover.Start()
}
