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

// start returns a context whose children are tabs.
func start() (context.Context, error) {
	path, err := executable()
	if err != nil {
		return nil, err
	}
	profile, err := temporaryProfile()
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
		// Chromium's sandbox needs rights that it does not have as root.
		chromedp.Flag("no-sandbox", os.Geteuid() == 0),
	)
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, nil
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

// leash is the end that the process holds. Nobody reads it, but were it not
// kept, the garbage collector would close it.
var leash io.Closer

// temporaryProfile makes a directory that goes when this process has ended,
// however it ended: a shell waits for the end of its standard input, whose
// other end only this process holds. The browser dies at the same moment and
// may still be writing, hence the second try.
func temporaryProfile() (string, error) {
	dir, err := os.MkdirTemp("", "tocsin-chromium-")
	if err != nil {
		return "", err
	}
	remover := exec.Command("sh", "-c", `read -r _; rm -rf "$1" || { sleep 1; rm -rf "$1"; }`, "sh", dir)
	remover.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if leash, err = remover.StdinPipe(); err != nil {
		return "", err
	}
	return dir, remover.Start()
}
