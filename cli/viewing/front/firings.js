// Firings that are dragged along a train to where they belong.

import { quietly } from "./api.js";
import { duration, recording, seen, units } from "./data.js";
import { byId, element } from "./elements.js";
import { set, state } from "./state.js";
import { drawn } from "./trains.js";

const NEAR = 6; // px from a firing within which it is taken
const FOOT = 0.45; // share of a row, from below, in which firings are
const LEAST = 2; // px that a firing is moved at least

let send = null;
let held = null; // {unit, instant, from, line}
let passed = -1e9;

export function createFirings(change) {
  send = (values) => quietly(change("edit", { recording: state.recording, sequence: seen().sequence, edit: values }));
  const box = byId("plot");
  // Before the plot takes it for the beginning of less time.
  box.addEventListener("mousedown", down, true);
  box.addEventListener("mousemove", hover);
  box.addEventListener("click", (event) => event.timeStamp - passed < 250 && event.stopPropagation(), true);
  addEventListener("mousemove", move);
  addEventListener("mouseup", up);
}

// The firing of a curated unit that lies under the pointer.
function under(event) {
  const { plot, rows } = drawn();
  if (!plot || !recording().sets[state.set]?.curated) return null;
  const box = plot.over.getBoundingClientRect();
  const at = ((event.clientY - box.top) / box.height) * rows.length;
  const row = rows[Math.floor(at)];
  if (!row || row.unit === null || at - Math.floor(at) < 1 - FOOT) return null;
  if (units()[row.unit].rejected) return null;
  const left = event.clientX - box.left;
  const distance = (instant) => Math.abs(plot.valToPos(instant, "x") - left);
  const found = row.firings.filter((instant) => distance(instant) <= NEAR).sort((a, b) => distance(a) - distance(b));
  return found.length ? { unit: row.unit, instant: found[0] } : null;
}

function hover(event) {
  if (!held) byId("plot").classList.toggle("over-firing", under(event) !== null);
}

function down(event) {
  const found = event.button === 0 ? under(event) : null;
  if (!found) return;
  event.stopPropagation();
  event.preventDefault();
  const line = element("div", { class: "held" });
  drawn().plot.over.append(line);
  held = { ...found, from: event.clientX, line };
  move(event);
}

function timeAt(event) {
  const { plot } = drawn();
  const time = plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x");
  return Math.max(0, Math.min(time, duration() - 1e-4));
}

function move(event) {
  if (!held) return;
  held.line.style.transform = `translateX(${drawn().plot.valToPos(timeAt(event), "x")}px)`;
}

function up(event) {
  if (!held) return;
  const { unit, instant, from, line } = held;
  held = null;
  line.remove();
  passed = event.timeStamp;
  if (Math.abs(event.clientX - from) < LEAST) return set({ unit, time: Math.max(0, instant) });
  const to = Math.round(timeAt(event) * 1e4) / 1e4;
  set({ unit });
  send({ edit: "move_firing", unit, instant, to });
}
