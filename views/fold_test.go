package views_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

// What the person who is paged needs first is on the first screen of a phone, above
// the buttons.
func TestFactsOnFirstScreen(t *testing.T) {
	tab := browser.New(t, browser.Phone, browser.Light)
	for _, page := range []string{"incident-triggered", "link-open"} {
		tab.Open(gallery().URL + "/" + page)
		if below := browser.Eval[string](tab, `(() => {
			const bar = document.querySelector(".actions").getBoundingClientRect().top;
			return [".head h1", ".where", ".facts > :last-child", ".block .excerpt, .first"].filter(s => document.querySelector(s).getBoundingClientRect().top + 24 > bar).join(", ");
		})()`); below != "" {
			t.Errorf("%s: %s are below the first screen", page, below)
		}
	}
}

func TestSelectGroup(t *testing.T) {
	s := play(t, "list-storm")
	tab := browser.New(t, browser.Phone, browser.Light)
	tab.Open(s.URL + "/incidents?tab=unanswered")
	const all, group = `document.querySelector("[data-bulk]").textContent`, `document.querySelector("[data-select-group]")`
	run(tab, group+`.click()`)
	tab.Until(all + ` === "Acknowledge 4"`)
	if scope := browser.Eval[string](tab, `document.querySelector("[data-scope]").textContent`); scope != "4 of them other teams’" {
		t.Errorf("the scope is %q", scope)
	}
	run(tab, `document.querySelector(".group input[name=number]").click()`)
	tab.Until(all + ` === "Acknowledge 3" && ` + group + `.indeterminate`)
	run(tab, `document.querySelector("[data-select-all]").click()`)
	tab.Until(group + `.checked && document.querySelectorAll("[data-bulk]")[1].textContent === "Resolve 16"`)
}

// What is to be done next in the first steps is above the bar of a phone.
func TestFirstAcknowledgeOnFirstScreen(t *testing.T) {
	tab := browser.New(t, browser.Phone, browser.Light)
	tab.Open(gallery().URL + "/start-4")
	if !browser.Eval[bool](tab, `document.querySelector(".guide-step [data-main]").getBoundingClientRect().bottom <= document.querySelector(".main-nav").getBoundingClientRect().top`) {
		t.Error("Acknowledge is below the first screen")
	}
}

// The tabs of the list fit a phone, whose screen has two digits for each count.
func TestListTabsFitPhone(t *testing.T) {
	tab := browser.New(t, browser.Phone, browser.Light)
	tab.Open(gallery().URL + "/list-storm")
	if over := browser.Eval[int64](tab, `(() => { const bar = document.querySelector(".list-top .tabs-row"); return bar.scrollWidth - bar.clientWidth; })()`); over > 0 {
		t.Errorf("the tabs are %d px too wide", over)
	}
}

// What acts on the selection stays in one row, of one height, above the phone's bar.
func TestBulkBarOnPhone(t *testing.T) {
	for _, device := range []browser.Device{narrow, browser.Phone} {
		t.Run(device.Name, func(t *testing.T) {
			tab := browser.New(t, device, browser.Light)
			tab.Open(gallery().URL + "/list-storm")
			const row = `new Set([...document.querySelectorAll("[data-bulk]")].flatMap(b => { const box = b.getBoundingClientRect(); return [box.top, box.bottom]; })).size === 2 &&
				[...document.querySelectorAll("[data-bulk]")].every(b => b.scrollWidth <= b.clientWidth)`
			tab.Until(row)
			run(tab, `document.querySelector("[data-select-all]").click()`)
			tab.Until(`document.querySelectorAll("[data-bulk]")[1].textContent === "Resolve 16"`)
			tab.Until(row)
			run(tab, `scrollTo({top: 0, behavior: "instant"})`)
			tab.Until(`(() => {
				const bar = document.querySelector(".bulk").getBoundingClientRect(), nav = document.querySelector(".main-nav").getBoundingClientRect();
				return Math.abs(bar.bottom - nav.top) <= 1;
			})()`)
		})
	}
}
