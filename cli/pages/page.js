"use strict";
(() => {
  const root = document.body;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const keyed = all("[data-key]");
  let kept = null;

  // One unit stands out in every figure and table; none, and all are as they were.
  function light(key) {
    root.classList.toggle("lighting", key !== null);
    for (const part of keyed) part.classList.toggle("lit", part.dataset.key === key);
  }

  function keep(key) {
    kept = key;
    for (const pick of all("[data-pick]")) {
      pick.setAttribute("aria-pressed", String(pick.dataset.key === key));
    }
    light(key);
  }

  const keyOf = (target) => target.closest?.("[data-key]")?.dataset.key ?? null;

  // Tab stops once at each figure and table; arrow keys go on from there.
  function go(pick, within) {
    for (const other of all("[data-pick]", within)) other.tabIndex = other === pick ? 0 : -1;
    pick.focus();
  }

  // Outlines are drawn large ones first, but walked through by number, as the rows are.
  function inOrder(within) {
    const picks = all("[data-pick]", within);
    if (within.dataset.picker !== "map") return picks;
    const rank = (pick) => [pick.dataset.key[0] === "t" ? 1 : 0, Number(pick.dataset.key.slice(1))];
    return picks.sort((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]);
  }

  const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") return keep(null);
    const pick = event.target.closest?.("[data-pick]");
    if (!pick) return;
    const within = pick.closest("[data-picker]");
    const picks = inOrder(within);
    const place = picks.indexOf(pick);
    const { key } = event;
    if (key in STEPS) go(picks[(place + STEPS[key] + picks.length) % picks.length], within);
    else if (key === "Home") go(picks[0], within);
    else if (key === "End") go(picks.at(-1), within);
    else if (key === "Enter" || key === " ") keep(kept === pick.dataset.key ? null : pick.dataset.key);
    else return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const key = keyOf(event.target);
    if (key !== null) keep(kept === key ? null : key);
    else if (event.target.closest(".paper")) keep(null);
  });

  document.addEventListener("pointerover", (event) => light(keyOf(event.target) ?? kept));
  document.addEventListener("pointerleave", () => light(kept));
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-pick]")) light(event.target.dataset.key);
  });
  document.addEventListener("focusout", () => light(kept));

  function sort(head) {
    const row = head.parentElement;
    const place = [...row.cells].indexOf(head);
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of row.cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = head.closest("table").tBodies[0];
    const value = (line) => line.cells[place].dataset.value;
    const words = head.classList.contains("words");
    const compare = (a, b) => {
      const [one, other] = [value(a), value(b)];
      if (one === "" || other === "") return (one === "") - (other === "");  // unknown ones last
      const order = words ? one.localeCompare(other) : Number(one) - Number(other);
      return down ? -order : order;
    };
    body.append(...[...body.rows].sort(compare));
    const picks = all("[data-pick]", body);
    if (picks.length) for (const pick of picks) pick.tabIndex = pick === picks[0] ? 0 : -1;
  }

  for (const head of all(".sortable thead th")) {
    head.querySelector("button").addEventListener("click", () => sort(head));
  }
  for (const help of all(".help")) help.hidden = false;
})();
