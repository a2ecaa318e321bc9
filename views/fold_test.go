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
