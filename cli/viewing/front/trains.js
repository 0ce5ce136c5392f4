// Signals over time: a row for each unit with its firings, above them that of the chosen pixel.

import uPlot from "./vendor/uPlot.js";
import { array, quietly } from "./api.js";
import { css, lineColour } from "./colours.js";
import { data, duration, matches, query, rate, recording, seen, units } from "./data.js";
import { byId, element, press } from "./elements.js";
import { on, set, state } from "./state.js";

const LEAST_ROW = 21; // px
const MOST_ROW = 110;
const EDGE = 46; // px of labels to the left, of units and of signals beside a video
const WIDE_EDGE = 84;
const FOOT = 42; // px of the axis of time and its name

let plot = null;
let rows = []; // from the top: {label, colour, unit, values, firings}
let cursor = null;
let mine = 0;

export function createTrains() {
  cursor = element("div", { class: "now" });
  new ResizeObserver(resize).observe(byId("plot"));
  on(["loaded", "set", "recording", "pixel", "judged"], refresh);
  on(["window"], zoomed);
  on(["unit"], () => plot?.redraw(false));
  on(["ownScale"], () => {
    press(byId("own-scale"), state.ownScale);
    build();
  });
  on(["time", "loaded"], () => moveCursor());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
  byId("own-scale").addEventListener("click", () => set({ ownScale: !state.ownScale }));
  byId("zoom-in").addEventListener("click", () => zoom(0.5));
  byId("zoom-out").addEventListener("click", () => zoom(2));
  byId("zoom-all").addEventListener("click", () => set({ window: null }));
}

const all = () => [0, duration()];
const windowNow = () => state.window ?? all();

// Show less time or more, about a moment: that of the frame, unless another is given.
export function zoom(factor, about = state.time) {
  const [first, last] = windowNow();
  const centre = about >= first && about <= last ? about : (first + last) / 2;
  const length = Math.max((last - first) * factor, 8 / rate());
  const start = centre - ((centre - first) / (last - first)) * length;
  show(start, start + length);
}

export function shift(by) {
  const [first, last] = windowNow();
  show(first + by * (last - first), last + by * (last - first));
}

function show(first, last) {
  const length = last - first;
  if (length >= duration()) return set({ window: null });
  const start = Math.max(0, Math.min(first, duration() - length));
  set({ window: [start, start + length] });
}

// The frames of the window, a little more than are seen.
function span() {
  const [first, last] = windowNow();
  const start = Math.max(0, Math.floor(first * rate()) - 1);
  return { first: start, count: Math.min(seen().frames, Math.ceil(last * rate()) + 2) - start };
}

function points() {
  return Math.max(400, Math.round(byId("plot").clientWidth * 2));
}

async function fetchRows() {
  const window = { ...query(), ...span(), points: points() };
  const asked = [];
  if (state.pixel !== null && recording().tells_pixels) {
    const { row, column } = state.pixel;
    asked.push(
      array("pixel", { ...window, row, column }).then((found) => [
        { label: "pixel", colour: css("--ink"), unit: null, firings: [], ...only(found) },
      ]),
    );
  }
  if (seen().signals.length) asked.push(array("states", window).then((found) => stateRows(found)));
  if (units().length) {
    const own = array("trains", { ...window, set: state.set });
    const true_ = matches() ? array("trains", { ...window, set: 0 }) : null;
    asked.push(Promise.all([own, true_]).then(([found, truth]) => unitRows(found, truth)));
  }
  return (await Promise.all(asked)).flat();
}

const frames = (found) => found.values.subarray(0, found.shape[1]);
const only = (found) => ({ x: frames(found), values: found.values.subarray(found.shape[1]) });

function stateRows(found) {
  return seen().signals.map((signal, place) => ({
    label: signal.label,
    colour: signal.colour,
    unit: null,
    firings: [],
    x: frames(found),
    values: rowOf(found, place),
  }));
}

const rowOf = (found, place) => found.values.subarray((place + 1) * found.shape[1], (place + 2) * found.shape[1]);

function unitRows(found, truth) {
  return units().map((unit, place) => {
    const partner = truth && matches().found[unit.unit].partner;
    const known = partner !== null && partner !== undefined;
    return {
      label: String(unit.unit),
      colour: lineColour(unit.unit),
      unit: unit.unit,
      firings: unit.firings,
      x: frames(found),
      values: rowOf(found, place),
      under: known ? { values: rowOf(truth, partner), firings: seen().units[0][partner].firings } : null,
    };
  });
}

function refresh() {
  if (!data.seen.length) return;
  const asked = ++mine;
  quietly(
    fetchRows().then((found) => {
      if (asked !== mine) return;
      rows = found;
      build();
    }),
  );
}

let waiting = 0;
let fetched = null;

// What is seen is moved at once; its signals are read anew where they were reduced.
function zoomed() {
  if (!plot) return;
  const [min, max] = windowNow();
  plot.setScale("x", { min, max });
  moveCursor();
  if (seen().frames <= points()) return;
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 80);
}

const sizeOf = () => {
  const box = byId("plot");
  const room = Math.min(box.clientHeight - 2, rows.length * MOST_ROW + FOOT);
  return { width: box.clientWidth, height: Math.max(room, rows.length * LEAST_ROW + FOOT, 120) };
};

function resize() {
  if (!plot) return;
  const size = sizeOf();
  if (size.width && (size.width !== plot.width || size.height !== plot.height)) plot.setSize(size);
  moveCursor();
}

// Each row lies in a band of its own, 1 high; the first is the uppermost.
function bands() {
  const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0) || 1;
  const sizes = rows.map((row) => largest(row.values));
  const shared = Math.max(...sizes.filter((_, place) => rows[place].unit !== null), 0) || 1;
  return rows.map((row, place) => {
    const size = state.ownScale || row.unit === null ? sizes[place] : shared;
    const middle = rows.length - place - 0.42;
    // Velocities lie about 0; other signals fill their row from the lowest value to the highest.
    const [low, high] = recording().kind === "video" ? ends(row.values) : [-size, size];
    const centre = (low + high) / 2;
    const half = (high - low) / 2 || 1;
    const lift = (values) =>
      Array.from(values, (value) => (Number.isFinite(value) ? middle + ((value - centre) / half) * 0.46 : null));
    return { own: lift(row.values), under: row.under ? lift(row.under.values) : null };
  });
}

function ends(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return Number.isFinite(low) ? [low, high] : [0, 1];
}

function build() {
  plot?.destroy();
  plot = null;
  const box = byId("plot");
  box.replaceChildren();
  byId("signals-title").textContent = titleOf();
  if (!rows.length) {
    box.append(element("p", { class: "nothing" }, nothing()));
    return;
  }
  // Rows that were read apart have one time: they have the same window and the same points.
  const times = Array.from(rows[0].x, (frame) => frame / rate());
  const [min, max] = windowNow();
  const ink = css("--faint");
  const lifted = bands();
  const line = (stroke, width) => ({ stroke, width, points: { show: false } });
  // True trains lie beneath those found.
  const series = rows.flatMap((row, place) => (row.under ? [[line(css("--under"), 3.5), lifted[place].under]] : []));
  series.push(...rows.map((row, place) => [line(row.colour, 1.1), lifted[place].own]));
  plot = new uPlot(
    {
      ...sizeOf(),
      legend: { show: false },
      padding: [6, 10, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: false, min, max, auto: false }, y: { auto: false, range: [0, rows.length] } },
      axes: [
        { stroke: ink, grid: { stroke: css("--grid"), width: 1 }, ticks: { size: 4, stroke: css("--line") }, size: 26, label: "Time (s)", labelSize: 16, font: "11px system-ui, sans-serif", labelFont: "11px system-ui, sans-serif" },
        { show: true, size: seen().signals.length ? WIDE_EDGE : EDGE, splits: () => [], grid: { show: false }, ticks: { show: false }, stroke: ink },
      ],
      series: [{}, ...series.map(([options]) => options)],
      hooks: { setSelect: [selected], drawClear: [ground], draw: [ticks, names] },
    },
    [times, ...series.map(([, values]) => values)],
    box,
  );
  plot.over.append(cursor);
  plot.over.addEventListener("wheel", turned, { passive: false });
  plot.over.addEventListener("click", clicked);
  plot.over.addEventListener("dblclick", () => set({ window: null }));
  moveCursor();
}

function titleOf() {
  if (!recording().sets.length) return seen().signals.length ? "Signals" : "Signal";
  return `Trains and firings · ${recording().sets[state.set].name}`;
}

function nothing() {
  if (recording().sets.length && seen().units[state.set] === null) return "Nobody looked for units in this sequence.";
  if (recording().sets.length) return "No unit was found.";
  return recording().tells_pixels ? "Click a pixel of the image to see its signal." : "No signal was recorded beside the images.";
}

function selected(self) {
  const { left, width } = self.select;
  if (width < 4) return;
  show(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
  self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
}

function turned(event) {
  event.preventDefault();
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    return shift((event.deltaX || event.deltaY) / 1200);
  }
  const at = plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x");
  zoom(Math.exp(event.deltaY / 500), at);
}

// A click goes to that moment, and takes the row that is there.
function clicked(event) {
  const box = plot.over.getBoundingClientRect();
  const time = plot.posToVal(event.clientX - box.left, "x");
  const row = rows[Math.floor(((event.clientY - box.top) / box.height) * rows.length)];
  const changes = { time: Math.max(0, Math.min(time, duration() - 0.5 / rate())) };
  if (row?.unit !== null && row?.unit !== undefined) changes.unit = row.unit;
  set(changes);
}

const isLit = (row) => row.unit !== null && row.unit === state.unit;

// The ground of the row that is chosen, and the zero of each.
function ground(self) {
  const { ctx, bbox } = self;
  ctx.save();
  rows.forEach((row, place) => {
    const top = bbox.top + (bbox.height * place) / rows.length;
    if (isLit(row)) {
      ctx.fillStyle = css("--lit");
      ctx.fillRect(bbox.left, top, bbox.width, bbox.height / rows.length);
    }
  });
  ctx.restore();
}

// Firings at the foot of each row; those of the true unit beneath, in grey.
function ticks(self) {
  const { ctx, bbox } = self;
  const height = bbox.height / rows.length;
  const length = Math.min(height * 0.16, 6 * devicePixelRatio);
  ctx.save();
  ctx.lineWidth = Math.max(1, devicePixelRatio);
  rows.forEach((row, place) => {
    const foot = bbox.top + height * (place + 1) - 1;
    const truths = row.under ? length : 0;
    marks(self, row.firings, row.colour, foot - truths - length, foot - truths - 1);
    if (row.under) marks(self, row.under.firings, css("--faint"), foot - length + 1, foot);
  });
  ctx.restore();
}

function marks(self, firings, colour, top, bottom) {
  const { ctx } = self;
  const { min, max } = self.scales.x;
  ctx.strokeStyle = colour;
  ctx.beginPath();
  for (const firing of firings) {
    if (firing < min || firing > max) continue;
    const across = Math.round(self.valToPos(firing, "x", true)) + 0.5;
    ctx.moveTo(across, bottom);
    ctx.lineTo(across, top);
  }
  ctx.stroke();
}

function names(self) {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  rows.forEach((row, place) => {
    ctx.font = `${isLit(row) ? "bold " : ""}${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillStyle = row.colour;
    ctx.fillText(row.label, bbox.left - 8 * devicePixelRatio, bbox.top + (bbox.height * (place + 0.42)) / rows.length);
  });
  ctx.restore();
}

function moveCursor() {
  if (!plot) return;
  const left = plot.valToPos(state.time, "x");
  cursor.hidden = !(left >= -1 && left <= plot.over.clientWidth + 1);
  cursor.style.transform = `translateX(${left}px)`;
}
