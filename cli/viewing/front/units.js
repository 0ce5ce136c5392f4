// The table of a set's units, and which sets there are.

import { styleOf, textOn, unitColour } from "./colours.js";
import { arePlaced, isThere, matches, nameOf, recording, seen, units } from "./data.js";
import { byId, element, fixed, refill, svg } from "./elements.js";
import { on, set, state } from "./state.js";

const COLUMNS = [
  { key: "unit", label: "Unit", title: "Number in its store" },
  { key: "mark", label: "✓✗", title: "By hand: ✓ accepted, ✗ rejected, ✎ changed", curated: true },
  { key: "confidence", label: "Conf.", title: "How probably the unit is true", decimals: 2, found: true },
  { key: "partner", label: "True", title: "The true unit whose train it matches", decimals: 0, judged: true },
  { key: "rate", label: "Rate", title: "Mean firing rate, Hz", decimals: 1 },
  { key: "count", label: "Firings", title: "Number of firings", decimals: 0 },
  { key: "area", label: "Area", title: "Area of the territory in the image, mm²", decimals: 0, placed: true },
  { key: "peak", label: "Peak", title: "Largest velocity of the train, mm/s", decimals: 2, placed: true },
];

let order = { key: "unit", falling: false };

export function createUnits() {
  on(["loaded", "recording", "set", "hidden"], drawSets);
  on(["loaded", "recording", "set", "left", "judged"], drawTable);
  on(["unit"], light);
}

// The sets in the order of their stores: one in colour, the others dashed, each may be hidden.
function drawSets() {
  const { sets } = recording();
  byId("units").hidden = !sets.length;
  refill(
    byId("sets"),
    ...sets.map((one, place) => element("span", { class: "pair" }, ...controlsOf(one, place))),
  );
}

function controlsOf(one, place) {
  const { sets } = recording();
  return [
    element(
      "button",
      {
        type: "button",
        "data-focus": `set-${place}`,
        "aria-pressed": String(place === state.set),
        title: `Units of ${one.name} (m: the next ones)`,
        onclick: () => set({ set: place, unit: null, left: new Set() }),
      },
      swatch(one, place),
      ` ${one.name} `,
      element("small", {}, String(countOf(place))),
    ),
    sets.length > 1
      ? element(
          "button",
          {
            type: "button",
            class: "eye",
            "data-focus": `eye-${place}`,
            "aria-pressed": String(!state.hidden.has(place)),
            "aria-label": `Outlines of ${one.name}`,
            title: `Outlines of ${one.name}`,
            onclick: () => toggleSet(place),
          },
          eye(),
        )
      : null,
  ].filter(Boolean);
}

// Units that are there; of those that are curated without any that was rejected.
function countOf(place) {
  return seen().units[place]?.filter((unit) => isThere(unit) && !unit.rejected).length ?? "–";
}

export function toggleSet(place) {
  const hidden = new Set(state.hidden);
  if (!hidden.delete(place)) hidden.add(place);
  set({ hidden });
}

function swatch(one, place) {
  const active = place === state.set;
  const style = styleOf(recording().sets, place);
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 20 8", "aria-hidden": "true" },
    svg("path", {
      d: "M0 4H20",
      class: active ? "active" : one.kind,
      stroke: active || one.kind === "true" ? null : style.colour,
      "stroke-dasharray": active ? null : style.dashes,
    }),
  );
}

const eye = () =>
  svg(
    "svg",
    { viewBox: "0 0 20 12", "aria-hidden": "true" },
    svg("path", { d: "M1 6Q10 -4 19 6Q10 16 1 6Z" }),
    svg("circle", { cx: 10, cy: 6, r: 2.6 }),
  );

function valueOf(unit, key) {
  if (key === "count") return unit.firings.length;
  if (key === "mark") return Number(unit.changed) + 2 * unit.rejected + 4 * unit.accepted;
  return key === "partner" ? matches().found[unit.unit].partner : unit[key];
}

function drawScore() {
  const found = matches();
  byId("score").hidden = !found;
  if (!found) return;
  const { matches: matched, recall, precision } = found;
  byId("score").textContent =
    `Trains match ${matched} of ${Object.keys(found.true).length} true units ` +
    `(recall ${fixed(recall)}, precision ${fixed(precision)}).`;
}

function drawTable() {
  const sets = recording().sets;
  if (!sets.length) return;
  const found = sets[state.set].kind === "found";
  const judged = matches() !== null;
  const placed = arePlaced();
  const { curated } = sets[state.set];
  const columns = COLUMNS.filter(
    (column) =>
      (found || !column.found) &&
      (judged || !column.judged) &&
      (placed || !column.placed) &&
      (curated || !column.curated),
  );
  if (!columns.some((column) => column.key === order.key)) order = { key: "unit", falling: false };
  drawScore();
  const sign = order.falling ? -1 : 1;
  const sorted = units().filter(isThere).sort(
    (a, b) => sign * ((valueOf(a, order.key) ?? -Infinity) - (valueOf(b, order.key) ?? -Infinity)),
  );
  const head = columns.map((column) =>
    element(
      "th",
      {
        scope: "col",
        title: column.title,
        "aria-sort": column.key === order.key ? (order.falling ? "descending" : "ascending") : null,
      },
      element(
        "button",
        { type: "button", "data-focus": `sort-${column.key}`, onclick: () => sort(column.key) },
        column.label,
      ),
    ),
  );
  refill(
    byId("table"),
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...head,
          placed ? element("th", { scope: "col", title: "Part of the reconstruction" }, "In") : null,
        ),
      ),
      element("tbody", {}, ...sorted.map((unit) => row(unit, columns))),
    ),
  );
  light();
}

function sort(key) {
  order = { key, falling: order.key === key ? !order.falling : key !== "unit" };
  drawTable();
}

function row(unit, columns) {
  const colour = unitColour(unit.unit);
  const name = element(
    "button",
    {
      type: "button",
      class: "label",
      style: { background: colour, color: textOn(colour) },
      "data-focus": `unit-${unit.unit}`,
      "aria-label": `Unit ${unit.unit}`,
    },
    nameOf(unit),
  );
  const box = element("input", {
    type: "checkbox",
    "data-focus": `in-${unit.unit}`,
    "aria-label": `Unit ${unit.unit} in the reconstruction`,
    onclick: (event) => event.stopPropagation(),
    onchange: () => toggleUnit(unit.unit),
  });
  box.checked = !state.left.has(unit.unit);
  return element(
    "tr",
    { class: unit.rejected ? "rejected" : null, "data-unit": unit.unit, onclick: () => set({ unit: state.unit === unit.unit ? null : unit.unit }) },
    ...columns.map((column) =>
      column.key === "unit"
        ? element("th", { scope: "row" }, name)
        : element(
            "td",
            { title: column.judged ? matches().found[unit.unit].words : null },
            column.curated ? markOf(unit) : fixed(valueOf(unit, column.key), column.decimals),
          ),
    ),
    arePlaced() ? element("td", {}, box) : null,
  );
}

const markOf = (unit) => (unit.accepted ? "✓" : unit.rejected ? "✗" : "") + (unit.changed ? "✎" : "");

export function toggleUnit(unit) {
  const left = new Set(state.left);
  if (!left.delete(unit)) left.add(unit);
  set({ left });
}

// The units as the table has them, for keys that go from one to the next.
export const inOrder = () =>
  [...byId("table").querySelectorAll("tr[data-unit]")].map((one) => Number(one.dataset.unit));

function light() {
  for (const one of byId("table").querySelectorAll("tr[data-unit]")) {
    const lit = Number(one.dataset.unit) === state.unit;
    one.classList.toggle("lit", lit);
    one.querySelector(".label").setAttribute("aria-pressed", String(lit));
    if (lit) one.scrollIntoView({ block: "nearest" });
  }
}
