// Controls that need nothing of the page around them: buttons that copy, fields that
// filter a list, the reader's time zone, drafts of notes, and forms that stay at the
// address of their page. Every page works
// without this file.
(() => {
  "use strict";

  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (!copy) return;
    const label = $("span", copy), words = label.textContent;
    await navigator.clipboard.writeText($(`#${copy.dataset.copy}`).textContent);
    label.textContent = "Copied";
    await new Promise((resolve) => setTimeout(resolve, 2000));
    label.textContent = words;
  });

  document.addEventListener("input", (event) => {
    const filter = event.target.closest("[data-filter]");
    if (!filter) return;
    const wanted = filter.value.trim().toLowerCase();
    const cards = $$("[data-filtered]", $(filter.dataset.filter));
    for (const card of cards) card.hidden = !card.textContent.toLowerCase().includes(wanted);
    const none = $("[data-filter-none]");
    if (none) none.hidden = cards.some((card) => !card.hidden);
  });

  // A form that comes back with something wrong stands at the address of its
  // page, not at the one that it was posted to: that one cannot be reloaded. A
  // page that leads to itself adds no step back.
  document.addEventListener("htmx:beforeHistoryUpdate", ({ detail: { history, pathInfo, requestConfig } }) => {
    const here = location.pathname + location.search;
    const unmoved = requestConfig.verb !== "get" && pathInfo.responsePath === pathInfo.requestPath;
    if (!unmoved && history.path !== here) return;
    history.type = "replace";
    history.path = here;
  });

  // A place that the reader's own browser knows better than a default does.
  const chooseZone = () => {
    const list = $("select[data-zone]"), zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!list || !zone) return;
    delete list.dataset.zone;
    if (![...list.options].some((option) => option.value === zone)) list.add(new Option(zone, zone));
    list.value = zone;
  };
  chooseZone();

  // A note that is half typed outlives the page, for as long as the tab: what is sent
  // while it stands there may lead to the sign-in. It is gone once it was sent, by its own
  // form or by the one that waited for the sign-in.
  const draftKey = (form) => `draft:${form.getAttribute("action")}`;
  const draftOf = (form) => $("textarea", form);
  const drafts = () => $$("form.note");
  const drop = (form) => sessionStorage.removeItem(draftKey(form));

  const restore = () => {
    for (const form of drafts()) {
      const kept = sessionStorage.getItem(draftKey(form));
      if (kept && !draftOf(form).value) draftOf(form).value = kept;
    }
  };
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form.note");
    if (!form) return;
    if (event.target.value) sessionStorage.setItem(draftKey(form), event.target.value);
    else drop(form);
  });
  document.addEventListener("reset", (event) => { if (event.target.matches("form.note")) drop(event.target); });
  document.addEventListener("submit", (event) => { if (event.target.matches("[data-waited]")) drop(event.target); });
  document.addEventListener("htmx:afterSettle", restore);
  restore();
})();
