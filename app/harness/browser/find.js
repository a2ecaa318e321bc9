// Finds the one visible thing that a person would mean, by the name that it
// carries on the screen or in the accessibility tree, or by a selector, and
// says what stands in the way of using it. It runs in the page, on demand:
// nothing of it stays there.
(function (how, name, use) {
  const words = (s) => (s || "").replace(/\s+/g, " ").trim();
  const shown = (el) => el.getClientRects().length > 0 && getComputedStyle(el).visibility === "visible";
  const named = (el) => {
    const by = (el.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
    if (by.length) return words(by.map((id) => document.getElementById(id)?.textContent).join(" "));
    if (el.hasAttribute("aria-label")) return words(el.getAttribute("aria-label"));
    if (el.matches("input")) return words(el.value || el.alt);
    return words(el.innerText);
  };
  const controls = "a[href], button, summary, label, input[type=submit], input[type=button], [role=button], [role=tab], [role=menuitem]";
  const fields = "input:not([type=hidden]):not([type=submit]):not([type=button]), textarea, select";
  const labelled = (el) =>
    el.name === name || el.getAttribute("aria-label") === name ||
    [...(el.labels || [])].some((l) => words(l.innerText) === name || words(l.querySelector("span")?.innerText) === name);

  // A page that was just put in place is scrolled and comes alive a moment later.
  if (document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling")) return { problem: "the page is changing" };

  let found;
  if (how === "selector") found = [...document.querySelectorAll(name)];
  else if (how === "field") found = [...document.querySelectorAll(fields)].filter(labelled);
  else found = [...document.querySelectorAll(controls)].filter((el) => named(el) === name);
  found = found.filter(shown);
  if (found.length === 0) return { problem: "nothing visible is called so" };
  if (found.length > 1) return { problem: `${found.length} visible elements are called so` };

  const el = found[0];
  if (el.disabled || el.getAttribute("aria-disabled") === "true") return { problem: "it is disabled" };
  el.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const box = el.getBoundingClientRect();
  // Words that are broken into lines have a piece in each; the middle of all
  // may belong to something else.
  const piece = [...el.getClientRects()].reduce((a, b) => (a.width * a.height < b.width * b.height ? b : a));
  const at = { x: piece.left + piece.width / 2, y: piece.top + piece.height / 2 };
  const result = { ...at, left: box.left, top: box.top, width: box.width, height: box.height };
  if (use === "measure") return result;
  const top = document.elementFromPoint(at.x, at.y);
  if (!top || !(el.contains(top) || top.contains(el) && top.matches("label, a, button"))) {
    return { problem: `it is covered by ${top ? top.outerHTML.slice(0, 80) : "nothing, being out of the window"}` };
  }
  if (use !== "fill") return result;
  el.focus();
  result.kind = el.matches("select") ? "select" : el.type;
  if (el.select) el.select();
  return result;
})
