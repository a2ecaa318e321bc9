// Search from anywhere: Ctrl-K, or the link in the header, opens a dialog that
// shows what the page /search finds, as one types. It is a combobox with a list:
// the focus stays in the field, the arrows choose. Without this file the link
// leads to the page.
(() => {
  "use strict";

  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const dialog = () => $("dialog#search");
  const field = () => $(".search-input", dialog());
  const list = () => $("#found");
  const options = () => $$("[role=option]", list());
  const say = (text) => { $(".found-words", dialog()).textContent = text; };

  let turn = 0, timer = 0; // the latest look-up, and the one that waits for more typing
  let found = null; // the text that the list is for

  const choose = (option) => {
    for (const other of options()) other.setAttribute("aria-selected", String(other === option));
    if (option) field().setAttribute("aria-activedescendant", option.id);
    else field().removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const chosen = () => $("[aria-selected=true]", list());

  // show turns the lists of the page into one of options.
  const show = (page) => {
    const groups = $$("[data-hits]", page).map((hits, g) => {
      const group = document.createElement("div"), name = document.createElement("p");
      group.setAttribute("role", "group");
      name.className = "found-name";
      name.id = `found-${g}`;
      name.textContent = hits.dataset.hits;
      name.setAttribute("role", "presentation");
      group.setAttribute("aria-labelledby", name.id);
      group.append(name, ...$$("a.hit", hits).map((hit, i) => {
        const option = document.importNode(hit, true);
        option.setAttribute("role", "option");
        option.id = `found-${g}-${i}`;
        option.tabIndex = -1;
        return option;
      }));
      return group;
    });
    list().replaceChildren(...groups);
    htmx.process(list());
    const all = options();
    choose(all[0]);
    field().setAttribute("aria-expanded", String(all.length > 0));
    say($("[data-nothing]", page)?.dataset.nothing ?? (all.length ? "" : "Nothing found."));
  };

  const look = async () => {
    const mine = ++turn, asked = field().value.trim();
    try {
      const response = await fetch(`/search?q=${encodeURIComponent(asked)}`, { headers: { "HX-Request": "true" }, cache: "no-store" });
      if (mine !== turn || !dialog().open) return;
      if (response.redirected) location.assign(response.url); // signed out
      else if (!response.ok) say("The search failed. Try again.");
      else {
        show(new DOMParser().parseFromString(await response.text(), "text/html"));
        found = asked;
      }
    } catch {
      if (mine === turn) say("Not connected.");
    }
  };

  const open = () => {
    if (!dialog() || dialog().open) return;
    for (const menu of $$("details.menu[open]")) menu.open = false;
    list().replaceChildren();
    found = null;
    say("");
    dialog().showModal();
    field().value = "";
    field().focus();
    look();
  };

  const step = (by) => {
    const all = options();
    if (!all.length) return;
    choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key?.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && dialog()) {
      event.preventDefault();
      if (dialog().open) dialog().close();
      else open();
      return;
    }
    if (!event.target.matches?.(".search-input") || event.isComposing) return;
    const act = { ArrowDown: () => step(1), ArrowUp: () => step(-1) }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  document.addEventListener("input", (event) => {
    if (!event.target.matches(".search-input")) return;
    clearTimeout(timer);
    turn++; // what is on its way is out of date
    timer = setTimeout(look, 120);
  });

  // Enter follows what is chosen, of what was found for the text as it is now.
  document.addEventListener("submit", async (event) => {
    if (!event.target.matches(".search-form")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (field().value.trim() !== found) {
      clearTimeout(timer);
      await look();
    }
    chosen()?.click();
  }, true);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-open-search]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      event.stopImmediatePropagation();
      open();
    } else if (event.target === dialog() || event.target.closest("[data-close-search]") || event.target.closest("#found a")) dialog().close();
  }, true);
})();
