// The chosen unit: what is known of it, the shape of its twitch, and the units that are like it.

import uPlot from "./vendor/uPlot.js";
import { json, quietly } from "./api.js";
import { css, lineColour, styleOf, textOn, unitColour } from "./colours.js";
import { arePlaced, matches, nameOf, query, recording, setName, unitNow } from "./data.js";
import { byId, element, fixed } from "./elements.js";
import { on, set, state } from "./state.js";

const MOST_NEIGHBOURS = 8;
let mine = 0;
let plot = null;

export function createDetail() {
  on(["loaded", "unit", "set", "recording"], draw);
  on(["judged"], () => unitNow() && byId("detail").querySelector("dl")?.replaceWith(facts(unitNow())));
}

function draw() {
  const asked = ++mine;
  const unit = unitNow();
  const box = byId("detail");
  plot?.destroy();
  plot = null;
  box.hidden = !recording().sets.length;
  if (!unit) {
    box.replaceChildren(
      element(
        "p",
        { class: "nothing" },
        "Click a unit in the image, in the table or among the trains to see its twitch and its neighbours.",
      ),
    );
    return;
  }
  const twitch = element("div", { class: "twitch" });
  const like = element("div", { class: "neighbours" });
  box.replaceChildren(heading(unit), facts(unit), twitch, like);
  if (!arePlaced()) {
    const words = "The layer “About firings” shows where tissue moves as it fires.";
    twitch.append(element("p", { class: "nothing" }, words));
    return;
  }
  const about = { ...query(), set: state.set, unit: unit.unit };
  quietly(
    json("unit", about).then((found) => {
      if (asked !== mine) return;
      drawTwitch(twitch, unit, found.twitch, null);
      like.replaceChildren(...neighbours(found.neighbours));
      if (!unit.area || recording().kind === "identified") return;
      quietly(
        json("seen", about).then((seen) => asked === mine && drawTwitch(twitch, unit, found.twitch, seen)),
      );
    }),
  );
}

function heading(unit) {
  const colour = unitColour(unit.unit);
  const name = element(
    "span",
    { class: "label", style: { background: colour, color: textOn(colour) } },
    nameOf(unit),
  );
  return element("h2", {}, "Unit ", name, element("small", {}, ` ${setName(state.set)}`));
}

function truth(unit) {
  const found = matches()?.found[unit.unit];
  if (!found) return null;
  if (found.partner === null) return found.words;
  const how = `r ${fixed(found.correlation)}, IoU ${fixed(found.iou)}, firings agree ${fixed(found.agreement)}`;
  return `${found.words === "matches" ? "matches" : `${found.words}:`} ${found.partner} (${how})`;
}

function centre(unit) {
  if (!unit.centre) return "outside the image";
  return `${fixed(unit.centre[0], 1)} mm deep, ${fixed(unit.centre[1], 1)} mm across`;
}

function facts(unit) {
  const rows = [
    ["Confidence", unit.confidence === null ? null : fixed(unit.confidence)],
    ["Truth", truth(unit)],
    ["Rate", `${fixed(unit.rate, 1)} Hz, intervals vary by ${fixed(unit.variation * 100, 0)} %`],
    ["Firings", String(unit.firings.length)],
    ["Centre", arePlaced() ? centre(unit) : null],
    ["Area", arePlaced() ? `${fixed(unit.area, 1)} mm²${unit.uncertain ? ", outline uncertain" : ""}` : null],
  ];
  return element(
    "dl",
    {},
    ...rows
      .filter(([, text]) => text !== null)
      .map(([what, text]) => element("div", {}, element("dt", {}, what), element("dd", {}, text))),
  );
}

function drawTwitch(box, unit, twitch, seen) {
  plot?.destroy();
  plot = null;
  const caption = element("p", { class: "caption" });
  if (!twitch.count) {
    box.replaceChildren(
      element("p", { class: "nothing" }, "No firing lies far enough from the ends to show a twitch."),
    );
    return;
  }
  caption.append(
    element("span", { class: "key", style: { background: lineColour(unit.unit) } }),
    ` train, mean and SD of ${twitch.count} firings`,
  );
  if (seen)
    caption.append(
      " ",
      element("span", { class: "key", style: { background: css("--faint") } }),
      " recorded velocity in the territory",
    );
  const ink = css("--faint");
  const font = "10px system-ui, sans-serif";
  const add = (sign) => twitch.mean.map((value, n) => value + sign * twitch.sd[n]);
  const area = element("div");
  box.replaceChildren(area, caption);
  const axis = {
    stroke: ink,
    font,
    labelFont: font,
    grid: { stroke: css("--grid"), width: 1 },
    ticks: { show: false },
  };
  plot = new uPlot(
    {
      width: Math.max(box.clientWidth, 200),
      height: 140,
      legend: { show: false },
      cursor: { show: false },
      padding: [6, 14, 0, 0],
      scales: { x: { time: false } },
      axes: [
        { ...axis, label: "Time since firing (ms)", size: 24, labelSize: 14 },
        { ...axis, label: "mm/s", size: 44, labelSize: 14 },
      ],
      series: [
        {},
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
        { stroke: css("--faint"), width: 1.4, dash: [5, 3], points: { show: false } },
        { stroke: lineColour(unit.unit), width: 2, points: { show: false } },
      ],
      bands: [{ series: [1, 2], fill: `${lineColour(unit.unit)}2e` }],
    },
    [
      twitch.time.map((time) => time * 1000),
      add(1),
      add(-1),
      seen ? seen.mean : twitch.time.map(() => null),
      twitch.mean,
    ],
    area,
  );
}

function neighbours(found) {
  const shown = found.slice(0, MOST_NEIGHBOURS);
  if (!shown.length) return [element("p", { class: "nothing" }, "There is no other unit.")];
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "Neighbour"),
    element("th", { scope: "col", title: "Intersection over union of the territories" }, "IoU"),
    element("th", { scope: "col", title: "Correlation of the trains at their best lag within 20 ms" }, "r"),
    element("th", { scope: "col", title: "Distance of the centres, mm" }, "mm"),
  );
  return [element("table", {}, element("thead", {}, head), element("tbody", {}, ...shown.map(neighbour)))];
}

function neighbour(other) {
  const own = other.set === state.set;
  const { sets } = recording();
  const colour = own ? unitColour(other.unit) : styleOf(sets, other.set).colour;
  const go = () => set({ set: other.set, unit: other.unit });
  return element(
    "tr",
    { onclick: go },
    element(
      "th",
      { scope: "row" },
      element(
        "button",
        { type: "button", class: "label", style: { background: colour, color: textOn(colour) } },
        String(other.unit),
      ),
      own ? null : element("small", {}, ` ${sets[other.set].name}`),
    ),
    element("td", {}, fixed(other.iou)),
    element("td", {}, fixed(other.correlation)),
    element("td", {}, fixed(other.distance, 1)),
  );
}
