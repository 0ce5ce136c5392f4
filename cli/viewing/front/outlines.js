// Outlines of units over an image. The set that is chosen is in colour, others are dashed.

import { styleOf, textOn, unitColour } from "./colours.js";
import { matches, seen, setOf } from "./data.js";
import { element, svg } from "./elements.js";
import { on, state } from "./state.js";

const DETAIL = 20; // steps of outlines to the mm

export function createOverlay(number, about) {
  const [, depth, width] = about.shape;
  const [high, across] = [depth * about.pixel_size[0], width * about.pixel_size[1]];
  const drawing = svg("svg", {
    viewBox: `0 0 ${across * DETAIL} ${high * DETAIL}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  const marks = svg("g", { class: "marks" });
  const labels = element("div", { class: "labels" });
  const root = element("div", { class: "overlay" }, drawing, labels);

  function draw() {
    root.hidden = !state.outlines;
    const sets = seen(number)?.units ?? [];
    const mine = number === state.recording;
    marks.replaceChildren(...(seen(number)?.marks ?? []).map(mark));
    drawing.replaceChildren(marks);
    labels.replaceChildren();
    sets.forEach((units, place) => {
      if (units === null || state.hidden.has(place)) return;
      const active = place === setOf(number);
      if (!active) marks.before(...units.map((unit) => other(unit, place)));
      else {
        const shown = [...units].sort((a, b) => b.area - a.area);
        drawing.append(...shown.map((unit) => own(unit, place, mine)));
        labels.append(...units.filter((unit) => unit.label).map((unit) => name(unit, mine)));
      }
    });
  }

  const mark = ({ label, path: shape, colour }) =>
    svg("path", { d: shape, stroke: colour }, svg("title", {}, label));

  function path(unit, place, properties) {
    return svg("path", { d: unit.outline, "data-set": place, "data-unit": unit.unit, ...properties });
  }

  function other(unit, place) {
    const { kind } = about.sets[place];
    const { colour, dashes } = styleOf(about.sets, place);
    return path(unit, place, {
      class: `other ${kind}${lit(unit, place) ? "" : " faded"}`,
      stroke: colour,
      "stroke-dasharray": dashes,
    });
  }

  // With the unit that is chosen its true one stands out.
  function lit(unit, place) {
    if (number !== state.recording || state.unit === null) return true;
    return place === 0 && matches()?.found[state.unit]?.partner === unit.unit;
  }

  function own(unit, place, mine) {
    return path(unit, place, {
      class: classes("own", unit, mine),
      stroke: unitColour(unit.unit),
      "stroke-dasharray": unit.uncertain ? "10 5" : null,
    });
  }

  function classes(kind, unit, mine) {
    const lit = mine && unit.unit === state.unit;
    const faded = mine && state.unit !== null && !lit;
    return `${kind}${lit ? " lit" : ""}${faded ? " faded" : ""}${unit.rejected ? " rejected" : ""}`;
  }

  function name(unit, mine) {
    const colour = unitColour(unit.unit);
    const [down, right] = unit.label;
    const at = { top: `${(down / high) * 100}%`, left: `${(right / across) * 100}%` };
    return element(
      "button",
      {
        type: "button",
        class: classes("label", unit, mine),
        tabindex: -1,
        "data-unit": unit.unit,
        style: { ...at, background: colour, color: textOn(colour) },
      },
      String(unit.unit),
    );
  }

  // Units whose outline holds a point: the set's own first, small ones first.
  function inside(x, y) {
    const point = new DOMPoint(x, y);
    const found = [...drawing.querySelectorAll("path[data-unit]")].filter((one) => one.isPointInFill(point));
    const units = found.map((one) => ({ set: Number(one.dataset.set), unit: Number(one.dataset.unit) }));
    const area = ({ set: place, unit }) => seen(number).units[place][unit].area;
    return units.sort((a, b) => (b.set === setOf(number)) - (a.set === setOf(number)) || area(a) - area(b));
  }

  function unitsAt(event) {
    const box = drawing.getBoundingClientRect();
    const across_ = ((event.clientX - box.left) / box.width) * across * DETAIL;
    const down = ((event.clientY - box.top) / box.height) * high * DETAIL;
    if (!state.outlines) return [];
    const found = inside(across_, down);
    const { unit } = event.target.dataset; // of a label
    if (unit === undefined) return found;
    const named = { set: setOf(number), unit: Number(unit) };
    return [named, ...found.filter((one) => one.set !== named.set || one.unit !== named.unit)];
  }

  const unitsIn = ({ row, column }) =>
    inside((column + 0.5) * about.pixel_size[1] * DETAIL, (row + 0.5) * about.pixel_size[0] * DETAIL);

  on(["loaded", "set", "hidden", "unit", "outlines", "recording", "judged"], draw);
  return { root, unitsAt, unitsIn };
}
