// Gives the focused field a value that cannot be typed in one go: an option by
// its words or its value, a date, a time. The page hears of it as it would of
// a person's choice.
(function (value) {
  const el = document.activeElement;
  if (el.matches("select")) {
    const option = [...el.options].find((o) => o.label.trim() === value || o.value === value);
    if (!option) return `it has no option ${value}`;
    el.value = option.value;
  } else {
    el.value = value;
    if (el.value !== value) return `it does not take ${value}`;
  }
  el.dispatchEvent(new Event("input", { bubbles: true }));
  el.dispatchEvent(new Event("change", { bubbles: true }));
  return "";
})
