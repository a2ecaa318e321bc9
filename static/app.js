// What Tocsin adds to plain pages: they follow what happens, an acknowledgment
// insists until the server has answered, times go on, keys work.
// Every page works without this file.
(() => {
  "use strict";

  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const main = () => $("#main");
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // ---- Pages that are fetched again -------------------------------------

  const fetchPage = async (address = location.href) => {
    const response = await fetch(address, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (response.redirected && new URL(response.url).pathname !== new URL(address, location).pathname) {
      // Signed out, or gone elsewhere. What was typed is not thrown away: it is sent
      // and waits for the sign-in.
      if ($$("#main input:not([type=hidden]), #main textarea").some(dirty)) $("#ended")?.removeAttribute("hidden");
      else location.assign(response.url);
      return null;
    }
    return response.ok ? parse(await response.text()) : null;
  };

  const parse = (html) => new DOMParser().parseFromString(html, "text/html");

  // Whoever reads or types keeps the place: open details stay as they are, and
  // what was typed stays typed. The first run's steps open as it goes on.
  const keeping = {
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details:not(.guide-step > details)")),
    beforeNodeMorphed: (old) => !(old.matches?.("input, textarea, select") && dirty(old)),
  };
  // What others do leaves a form that came back with something wrong alone.
  const following = {
    ...keeping,
    beforeNodeMorphed: (old) => keeping.beforeNodeMorphed(old) && !(old.matches?.("form") && $("[aria-invalid=true]", old)),
  };
  const dirty = (field) => {
    if (field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") return field === document.activeElement;
    return field.value !== field.defaultValue;
  };

  const morph = (old, fresh, callbacks = keeping) => {
    Idiomorph.morph(old, fresh, { morphStyle: "outerHTML", ignoreActiveValue: true, callbacks });
    htmx.process(document.body);
    dress();
  };

  // swap puts what changed of another document in place of this one's.
  let shown = 0; // how many documents this one has been
  const swap = (page, callbacks) => {
    shown++;
    for (const selector of ["#main", "#banners", ".top nav"]) {
      const old = $(selector), fresh = $(selector, page);
      if (old && fresh) morph(old, fresh, callbacks);
    }
    setClock();
    document.title = page.title;
  };

  // What the last action said stays said while the page follows others'.
  const keepFlash = (page) => {
    const old = $("#flash"), fresh = $("#flash", page);
    const ready = $(".block.done", page) && !$(".block.done"); // the first run ended: what began it is old
    if (old && fresh && !fresh.childElementCount && !ready) fresh.replaceWith(old.cloneNode(true));
  };

  // ---- Live ---------------------------------------------------------------

  let stream = null, lost = 0, pending = 0;
  const heard = new Map(); // the latest version of each incident that changed
  const followed = () => main()?.dataset.live ?? "";

  const connect = () => {
    if (!followed() || stream || document.hidden || !window.EventSource) return;
    const mark = main().dataset.mark; // how far the page has heard
    stream = new EventSource(mark ? `/live?since=${encodeURIComponent(mark)}` : "/live");
    stream.addEventListener("incident", (event) => onIncident(JSON.parse(event.data)));
    stream.addEventListener("reload", refreshSoon); // too much to tell one by one
    stream.onopen = () => {
      if (!mark) refreshSoon(); // else the server tells what happened since the page was made
      clearTimeout(lost);
      lost = 0;
      $("#connection")?.setAttribute("hidden", "");
    };
    stream.onerror = () => {
      lost ||= setTimeout(() => $("#connection")?.removeAttribute("hidden"), 4000);
      if (stream.readyState === EventSource.CLOSED) { // the server refused; try again
        stream = null;
        setTimeout(connect, 5000);
      }
    };
  };

  // A browser holds only six connections to a host over HTTP/1.1, for all of its
  // tabs: a tab that nobody sees gives its own up.
  const disconnect = () => {
    stream?.close();
    stream = null;
    clearTimeout(lost);
    lost = 0;
  };

  document.addEventListener("visibilitychange", () => document.hidden ? disconnect() : connect());

  const onIncident = ({ number, version }) => {
    heard.set(`incident:${number}`, version);
    const live = followed();
    if (live === "list" || live === "any" || live.startsWith("signal:")) refreshSoon();
    else catchUp();
  };

  // catchUp fetches an incident of which a later version than the one shown was
  // heard of, be it while the page was on its way.
  const catchUp = () => {
    const version = Number($(".incident")?.dataset.version ?? 0);
    if ((heard.get(followed()) ?? 0) > version) refreshSoon();
  };

  // Several events in one breath are one fetch.
  const refreshSoon = () => {
    if (!pending) pending = setTimeout(refresh, 250);
  };

  const refresh = async () => {
    const live = followed(), before = shown, here = location.href;
    let stale = false;
    try {
      const page = await fetchPage();
      if (!lost) $("#connection")?.setAttribute("hidden", "");
      stale = shown !== before || location.href !== here; // another page, or an answer to a form, came first
      if (!page || stale) return;
      if (live === "list" && $("[data-select]")) updateList(page);
      else {
        keepFlash(page);
        swap(page, following);
      }
    } catch {
      $("#connection")?.removeAttribute("hidden"); // offline; the stream tells when it is back
    } finally {
      pending = 0;
      if (stale) refreshSoon();
    }
  };

  // Whoever uses the page is at it: a key, a pointer, a wheel. After half a minute
  // without any, nobody is.
  const idleAfter = 30000;
  const used = () => { document.documentElement.dataset.usedAt = Date.now(); };
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    addEventListener(kind, used, { capture: true, passive: true });
  }
  const idle = () => Date.now() - document.documentElement.dataset.usedAt > idleAfter
    && !$("dialog[open]") && !picks().some((box) => box.checked) && !dirtyField();
  const dirtyField = () => $$("#main input, #main textarea").some((field) => field.type !== "hidden" && dirty(field));

  // What waits behind the pill comes in by itself once nobody is at the page: a
  // screen on a wall shows all there is.
  const admit = () => {
    if ($("#arrivals:not([hidden])") && idle()) refreshSoon();
  };

  // In a list nothing moves under the finger: rows change where they are, and
  // new ones wait behind a pill.
  const updateList = (page) => {
    if (idle()) {
      keepFlash(page);
      swap(page, following);
      return;
    }
    document.title = page.title;
    const fresh = new Map($$("[data-row]", page).map((row) => [row.id, row]));
    for (const row of $$("[data-row]")) {
      const now = fresh.get(row.id);
      if (!now) row.dataset.gone = "";
      else if (now.dataset.version !== row.dataset.version) morph(row, now);
      fresh.delete(row.id);
    }
    for (const selector of [".list-top > .tabs-row", ".top nav", "#banners"]) {
      const old = $(selector), next = $(selector, page);
      if (old && next) morph(old, next);
    }
    main().dataset.mark = $("#main", page).dataset.mark;
    const pill = $("#arrivals");
    if (pill && fresh.size) {
      pill.textContent = `${fresh.size} new`;
      pill.hidden = false;
    }
  };

  // ---- An acknowledgment insists ------------------------------------------

  // The button says what is true: "Sending", "Not sent, retry" while the network
  // is away, and the server's own words once it has answered.
  const insist = async (form, submitter) => {
    if (form.dataset.sending) {
      form.retryNow?.();
      return;
    }
    form.dataset.sending = "yes";
    const button = $("button[type=submit]", form), label = $("[data-label]", button) ?? button;
    const said = $(".insist", form);
    const body = new URLSearchParams(new FormData(form, submitter));
    button.setAttribute("aria-busy", "true");
    for (let tries = 0; ; tries++) {
      label.textContent = "Sending…";
      try {
        const response = await fetch(form.getAttribute("action"), {
          method: "POST", body, headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(10000),
        });
        if (response.status < 500) {
          const page = parse(await response.text());
          delete form.dataset.sending;
          if (new URL(response.url).pathname === "/sign-in") location.assign(response.url);
          else if ($("[data-sign-in]", page)) signInFirst(page);
          else {
            if (response.redirected) history.replaceState(null, "", response.url);
            const had = form.contains(document.activeElement);
            for (const open of $$("details.action[open]")) open.open = false;
            form.reset();
            swap(page);
            if (response.status === 422) showWrong();
            else if (had) keepFocus();
          }
          return;
        }
      } catch { /* the network is away, or the server is */ }
      label.textContent = "Not sent, retry";
      if (said) {
        said.textContent = "Not sent yet. It is tried again by itself.";
        said.hidden = false;
      }
      await Promise.race([
        wait(Math.min(15000, 1000 * 2 ** tries)),
        new Promise((retry) => { form.retryNow = retry; }),
        new Promise((online) => addEventListener("online", online, { once: true })),
      ]);
    }
  };

  // The session has ended: the sign-in page holds the form until somebody signs in.
  const signInFirst = (page) => {
    document.title = page.title;
    Idiomorph.morph(document.body, page.body, { morphStyle: "innerHTML" });
    htmx.process(document.body);
    dress();
  };

  // A form that waited for the sign-in of the same person goes by itself.
  const resume = () => $("form[data-resume]")?.requestSubmit();

  // The form that was sent and had the focus is closed or gone: the focus goes to what
  // is said of it, before whose Undo the Tab key then stands.
  const keepFocus = () => {
    const said = $("#flash");
    if (!said?.childElementCount) return;
    said.tabIndex = -1;
    said.focus({ preventScroll: true });
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-insist]");
    if (!form) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    insist(form, event.submitter);
  }, true);

  // ---- Forms that came back -----------------------------------------------

  // What is wrong is seen, and is where typing goes, wherever on the page it is.
  const showWrong = () => {
    const field = $("#main [aria-invalid=true]"), at = field ?? $("#main .wrong");
    if (!at) return;
    for (let around = at.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    field?.focus({ preventScroll: true });
    at.scrollIntoView({ block: "center" });
  };

  // ---- Rows that are wider than the screen --------------------------------

  // Navigation shows where one is, and on which side there is more of it.
  const bars = ".tabs-row";
  const hint = (bar) => {
    bar.toggleAttribute("data-more-before", bar.scrollLeft > 1);
    bar.toggleAttribute("data-more-after", bar.scrollLeft < bar.scrollWidth - bar.clientWidth - 1);
  };
  const showPlace = () => {
    for (const bar of $$(bars)) {
      const here = $("[aria-current]", bar)?.getBoundingClientRect(), all = bar.getBoundingClientRect();
      if (here) bar.scrollLeft += here.left + here.width / 2 - all.left - all.width / 2;
    }
  };
  document.addEventListener("scroll", (event) => { if (event.target.matches?.(bars)) hint(event.target); }, true);
  addEventListener("resize", () => { for (const bar of $$(bars)) hint(bar); });

  // ---- Times --------------------------------------------------------------

  // The server's time stands on what is swapped, so that each page brings its
  // own; one that was seen already tells nothing of what the time is now.
  let skew = 0, stamped = ""; // the server's clock minus this machine's
  const setClock = () => {
    const now = main()?.dataset.now;
    if (!now || now === stamped) return;
    stamped = now;
    skew = Date.parse(now) - Date.now();
  };

  // away is how far away an instant is. What has happened is never to come.
  const away = (ms, happened, short) => {
    const s = Math.floor(Math.abs(ms) / 1000);
    if (short) return ms < 1000 ? "now" : s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min`
      : s < 86400 ? `${Math.floor(s / 3600)} h` : s >= 14 * 86400 ? null : s < 2 * 86400 ? "1 day" : `${Math.floor(s / 86400)} days`;
    if (happened && ms < 0) return "just now";
    if (s < 1) return "just now";
    if (s >= 14 * 86400) return null; // a date by then; the server wrote it
    const [n, unit] = s < 60 ? [s, "second"] : s < 3600 ? [Math.floor(s / 60), "minute"]
      : s < 86400 ? [Math.floor(s / 3600), "hour"] : [Math.floor(s / 86400), "day"];
    const words = `${n} ${unit}${n === 1 ? "" : "s"}`;
    return ms < 0 ? `in ${words}` : `${words} ago`;
  };

  const tick = () => {
    const now = Date.now() + skew;
    for (const time of $$("time[data-ago], time[data-away]")) {
      const words = away(now - Date.parse(time.dateTime), "ago" in time.dataset, time.dataset.ago === "short");
      if (words && words !== time.textContent) time.textContent = words;
    }
  };

  // An undo is offered for as long as it says; then comes what is left to do.
  const lapse = () => {
    const undo = $("form[data-lapses]");
    if (!undo) return;
    undo.dataset.until ??= Date.now() + 1000 * undo.dataset.lapses;
    if (Date.now() < undo.dataset.until) return;
    undo.hidden = true;
    const later = $("form[data-later]", undo.parentElement);
    if (later) later.hidden = false;
  };

  // ---- Selecting many -----------------------------------------------------

  const picks = () => $$("[data-select] input[name=number]");
  const ofGroup = (box) => $$("input[name=number]", box.closest(".group"));
  const checkAll = (box, of) => {
    const n = of.filter((one) => one.checked).length;
    box.checked = n > 0 && n === of.length;
    box.indeterminate = n > 0 && n < of.length;
  };
  const count = () => {
    const chosen = picks().filter((box) => box.checked);
    for (const button of $$("[data-bulk]")) {
      const n = button.dataset.of ? chosen.filter((box) => box.dataset.status === button.dataset.of).length : chosen.length;
      button.textContent = n ? `${button.dataset.verb} ${n}` : button.dataset.verb;
      button.disabled = n === 0;
      button.toggleAttribute("data-some", n > 0);
    }
    const others = chosen.filter((box) => "others" in box.dataset).length, scope = $("[data-scope]");
    if (scope) scope.textContent = others ? `${others} of them other teams’` : "";
    const all = $("[data-select-all]");
    if (all) checkAll(all, picks());
    for (const box of $$("[data-select-group]")) checkAll(box, ofGroup(box));
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      for (const box of picks()) box.checked = event.target.checked;
    }
    if (event.target.matches("[data-select-group]")) {
      for (const box of ofGroup(event.target)) box.checked = event.target.checked;
    }
    if (event.target.closest("[data-select]")) count();
  });

  // ---- Keyboard -----------------------------------------------------------

  const rows = () => $$("[data-row]").filter((row) => row.offsetParent);
  const step = (by) => {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => "cursor" in row.dataset);
    const next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + by))];
    for (const row of list) delete row.dataset.cursor;
    next.dataset.cursor = "";
    $(".row-link", next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  const press = (key) => {
    const target = $(`[data-key="${key}"]`);
    if (!target) return false;
    target.click();
    if (target.matches("summary")) $("textarea, input, button", target.parentElement.querySelector(".sheet"))?.focus();
    return true;
  };

  const keys = {
    "/": () => $("[data-search]")?.focus(),
    "?": () => $("#keys")?.showModal(),
    j: () => step(1),
    k: () => step(-1),
    x: () => $("[data-cursor] input[name=number]")?.click(),
    a: () => press("a") || $("[data-bulk][data-some]")?.click(),
    r: () => press("r"),
    g: () => $('.top nav a[href="/incidents"]')?.click(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus(null);
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]")) return;
    event.preventDefault();
    act();
  });

  // ---- Previews ------------------------------------------------------------

  // What a form is about to do is looked up again when it changes.
  document.addEventListener("change", async (event) => {
    const form = event.target.closest("[data-lookup]")?.form, old = $("#preview");
    if (!form || !old) return;
    const query = new URLSearchParams([...$$("[data-lookup]", form)].map((field) => [field.name, field.value]));
    const page = await fetchPage(`${location.pathname}?${query}`).catch(() => null);
    const fresh = page && $("#preview", page);
    if (fresh) morph($("#preview"), fresh);
  });

  // ---- Menus and hints ----------------------------------------------------

  const closeMenus = (inside) => {
    for (const menu of $$("details.menu[open], details.action[open]")) {
      if (!menu.contains(inside)) menu.open = false;
    }
  };

  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    if (event.target.closest("[data-keys]")) $("#keys").showModal();
  });

  // Of the hints for each choice of a list, only that of the present one is shown.
  const showHints = () => {
    for (const hints of $$("[data-hints]")) {
      const choice = hints.closest("form").elements[hints.dataset.hints]?.value;
      for (const hint of $$("[data-hint]", hints)) hint.hidden = hint.dataset.hint !== choice;
    }
  };
  document.addEventListener("change", showHints);

  // ---- Beginnings ---------------------------------------------------------

  // dress shows what only works with this file.
  const dress = () => {
    for (const hidden of $$("[data-copy], [data-keys], .pick-all, .group-pick")) hidden.hidden = false;
    for (const unneeded of $$(".only-unscripted")) unneeded.hidden = true;
    for (const bar of $$(bars)) hint(bar);
    showHints();
    lapse();
    count();
  };

  // Where one types at once with a keyboard. On a touch screen a keyboard would
  // cover what one came to read.
  const focusField = () => {
    if (matchMedia("(hover: hover) and (pointer: fine)").matches) $("#main [data-focus]")?.focus({ preventScroll: true });
  };

  const begin = () => {
    setClock();
    showPlace();
    focusField();
    dress();
    connect();
    catchUp();
    if (!followed()) disconnect();
    resume();
  };

  document.addEventListener("htmx:beforeSwap", () => { shown++; });
  document.addEventListener("htmx:afterSettle", ({ detail: { xhr } }) => {
    begin();
    if (xhr?.status === 422) setTimeout(showWrong); // htmx scrolls to the top first
  });
  addEventListener("online", () => { if (lost) refreshSoon(); });
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    begin();
    refreshSoon();
  });
  setInterval(() => { tick(); lapse(); admit(); }, 1000);
  used();
  begin();
  showWrong();
})();
