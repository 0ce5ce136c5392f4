// Signals over time: a row for each unit with its firings, above them that of the chosen pixel.

import uPlot from "./vendor/uPlot.js";
import { quietly } from "./api.js";
import { css } from "./colours.js";
import { data, duration, rate, recording, seen } from "./data.js";
import { ground, names, ticks } from "./drawing.js";
import { byId, element, press } from "./elements.js";
import { bands, fetchRows } from "./rows.js";
import { shift, show, windowNow, zoom } from "./span.js";
import { on, set, state } from "./state.js";

const LEAST_ROW = 21; // px
const MOST_ROW = 110;
const EDGE = 46; // px of labels to the left, of units and of signals beside a video
const WIDE_EDGE = 84;
const FOOT = 42; // px of the axis of time and its name

let plot = null;
let rows = []; // from the top, as rows.js has them
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
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
  byId("own-scale").addEventListener("click", () => set({ ownScale: !state.ownScale }));
  byId("zoom-in").addEventListener("click", () => zoom(0.5));
  byId("zoom-out").addEventListener("click", () => zoom(2));
  byId("zoom-all").addEventListener("click", () => set({ window: null }));
}

// What is drawn, for whoever takes firings in hand.
export const drawn = () => ({ plot, rows });

function refresh() {
  if (!data.seen.length) return;
  const asked = ++mine;
  quietly(
    fetchRows(points()).then((found) => {
      if (asked !== mine) return;
      const alike =
        plot && rows.length === found.length && rows.every((row, place) => isAlike(row, found[place]));
      rows = found;
      if (alike) renew();
      else build();
    }),
  );
}

// Values at the screen's resolution: two to a pixel.
const points = () => Math.max(400, Math.round(byId("plot").clientWidth * 2));

const isAlike = (one, other) =>
  one.label === other.label && one.colour === other.colour && !one.under === !other.under;

let waiting = 0;

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
  const [min, max] = windowNow();
  const ink = css("--faint");
  const font = "11px system-ui, sans-serif";
  const line = (stroke, width) => ({ stroke, width, points: { show: false } });
  plot = new uPlot(
    {
      ...sizeOf(),
      legend: { show: false },
      padding: [6, 10, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: false, min, max, auto: false }, y: { auto: false, range: [0, rows.length] } },
      axes: [
        {
          label: "Time (s)",
          labelSize: 16,
          size: 26,
          stroke: ink,
          font,
          labelFont: font,
          grid: { stroke: css("--grid"), width: 1 },
          ticks: { size: 4, stroke: css("--line") },
        },
        {
          size: seen().signals.length ? WIDE_EDGE : EDGE,
          splits: () => [],
          grid: { show: false },
          ticks: { show: false },
          stroke: ink,
        },
      ],
      series: [
        {},
        ...rows.filter((row) => row.under).map(() => line(css("--under"), 3.5)),
        ...rows.map((row) => line(row.colour, 1.1)),
      ],
      hooks: {
        setSelect: [selected],
        drawClear: [(self) => ground(self, rows)],
        draw: [(self) => ticks(self, rows), (self) => names(self, rows)],
      },
    },
    curves(),
    box,
  );
  plot.over.append(cursor);
  plot.over.addEventListener("wheel", turned, { passive: false });
  plot.over.addEventListener("click", clicked);
  plot.over.addEventListener("dblclick", () => set({ window: null }));
  moveCursor();
}

// The time, then the curves: true trains first, which lie beneath those found. Rows that were read
// apart have one time: they have the same window and the same points.
function curves() {
  const lifted = bands(rows);
  const under = lifted.map((one) => one.under).filter((values) => values !== null);
  const times = Array.from(rows[0].x, (frame) => frame / rate());
  return [times, ...under, ...lifted.map((one) => one.own)];
}

function renew() {
  plot.setData(curves(), false);
  plot.redraw();
}

function titleOf() {
  if (!recording().sets.length) return seen().signals.length ? "Signals" : "Signal";
  return `Trains and firings · ${recording().sets[state.set].name}`;
}

function nothing() {
  if (recording().sets.length && seen().units[state.set] === null)
    return "Nobody looked for units in this sequence.";
  if (recording().sets.length) return "No unit was found.";
  return recording().tells_pixels
    ? "Click a pixel of the image to see its signal."
    : "No signal was recorded beside the images.";
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

function moveCursor() {
  if (!plot) return;
  const left = plot.valToPos(state.time, "x");
  cursor.hidden = !(left >= -1 && left <= plot.over.clientWidth + 1);
  cursor.style.transform = `translateX(${left}px)`;
}
