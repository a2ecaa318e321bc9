package views_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/browser"
	"github.com/tocsin-oncall/tocsin/views/sample"
)

// narrow is the smallest screen that pages are made for: WCAG 1.4.10.
var narrow = browser.Device{Name: "narrow", Width: 320, Height: 640, Scale: 1, Touch: true}

// misfits are what does not fit the screen: the page, what scrolls sideways inside itself
// (but for tabs, code and schedules, which are meant to), buttons beyond their card,
// boxes to tick that are stretched, placeholders that are cut off and banners of more
// than two lines. Every sheet is looked at while it is open.
const misfits = `(() => {
	const found = new Set(), name = (e) => e.tagName.toLowerCase() + "." + e.className + " " + (e.placeholder || e.textContent).trim().replace(/\s+/g, " ").slice(0, 50);
	const pen = document.createElement("canvas").getContext("2d");
	const look = () => {
		if (document.documentElement.scrollWidth > innerWidth) found.add("the page, unfolded, is " + document.documentElement.scrollWidth + " px wide");
		for (const e of document.querySelectorAll("body *")) {
			if (!e.checkVisibility()) continue;
			const box = e.getBoundingClientRect(), style = getComputedStyle(e);
			if (e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(style.overflowX) && !e.matches(".tabs-row, .code, .schedule, .sr-only, select, input, textarea")) found.add("scrolls inside itself: " + name(e));
			if (e.matches("[type=radio], [type=checkbox]") && (box.width > 32 || box.height > 32)) found.add("stretched: " + name(e));
			if (e.matches("input[placeholder]")) {
				pen.font = [style.fontWeight, style.fontSize, style.fontFamily].join(" ");
				if (pen.measureText(e.placeholder).width > e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)) found.add("placeholder is cut off: " + name(e));
			}
			if (e.matches(".banner") && box.height > 66) found.add("more than two lines: " + name(e));
			if (e.matches(".btn")) {
				const card = e.closest(".sheet, .guide-step, .block, .page, .menu-body")?.getBoundingClientRect();
				if (card && (box.right > card.right + 1 || box.left < card.left - 1) || e.scrollWidth > e.clientWidth + 1) found.add("beyond its card: " + name(e));
			}
			if (e.matches(".tabs-row") && new Set([...e.children].map(a => a.getBoundingClientRect().top)).size > 1) found.add("wraps: " + name(e));
		}
	};
	look();
	for (const one of [...document.querySelectorAll("details:not([name])")].filter(d => !d.open)) one.open = true;
	look();
	for (const sheet of document.querySelectorAll("details[name]")) {
		sheet.open = true;
		look();
		sheet.open = false;
	}
	return [...found];
})()`

// buttonsOutside are the buttons of the bars at the bottom, and of each of their sheets
// once it is open, that are wider than the screen.
const buttonsOutside = `(() => {
	const outside = () => [...document.querySelectorAll(".actions .btn, .bulk .btn")]
		.filter(b => b.checkVisibility() && (b.getBoundingClientRect().right > innerWidth || b.getBoundingClientRect().left < 0)).map(b => b.textContent);
	const found = outside();
	for (const sheet of document.querySelectorAll(".actions details, .bulk details")) {
		const around = sheet.parentElement.closest("details"), was = around?.open;
		if (around) around.open = true;
		sheet.open = true;
		found.push(...outside());
		sheet.open = false;
		if (around) around.open = was;
	}
	return found;
})()`

// TestPages looks at every page: on a desktop in light and on a phone in dark axe finds
// nothing, and at each width everything fits, with all that unfolds unfolded.
func TestPages(t *testing.T) {
	for _, view := range []struct {
		device browser.Device
		scheme browser.Scheme
		axe    bool
	}{{narrow, browser.Light, false}, {browser.Phone, browser.Dark, true}, {browser.Desktop, browser.Light, true}} {
		t.Run(view.device.Name, func(t *testing.T) {
			t.Parallel()
			tab := browser.New(t, view.device, view.scheme)
			for _, p := range sample.Pages() {
				tab.Open(gallery().URL + "/" + p.Name)
				if view.axe {
					// A page that came back scrolls to what is wrong, and its header then lies over
					// whatever is there.
					browser.Eval[bool](tab, `scrollTo({top: 0, behavior: "instant"}), true`)
					for _, v := range tab.Axe() {
						t.Errorf("%s, %s: %s", p.Name, view.scheme, v)
					}
				}
				if wide := browser.Eval[int64](tab, "document.documentElement.scrollWidth"); wide > view.device.Width {
					t.Errorf("%s is %d px wide on a screen of %d", p.Name, wide, view.device.Width)
				}
				if out := browser.Eval[[]string](tab, buttonsOutside); len(out) > 0 {
					t.Errorf("%s has buttons out of the screen: %q", p.Name, out)
				}
				for _, misfit := range browser.Eval[[]string](tab, misfits) {
					t.Errorf("%s on a %s: %s", p.Name, view.device.Name, misfit)
				}
			}
		})
	}
}
