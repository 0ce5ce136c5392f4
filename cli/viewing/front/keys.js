// Keys, each with what it does; the help lists the same table.

import { closer, lastTime, whole } from "./image.js";
import { data, firstSet, frameAt, rate, recording, unitNow, units } from "./data.js";
import { byId, element } from "./elements.js";
import { goTo, move, speedUp, toggle, turn } from "./player.js";
import { shift, zoom } from "./span.js";
import { set, state } from "./state.js";
import { inOrder, toggleSet, toggleUnit } from "./units.js";

const END = Number.MAX_SAFE_INTEGER;

const KEYS = [
  ["Time", [
    [[" "], "Space", "play, pause", toggle],
    [["ArrowLeft", "ArrowRight"], "← →", "a frame back, on", (event) => move(event.key === "ArrowLeft" ? -1 : 1)],
    [["S+ArrowLeft", "S+ArrowRight"], "Shift ← →", "ten frames", (event) => move(event.key === "ArrowLeft" ? -10 : 10)],
    [["Home", "End"], "Home End", "first, last frame", (event) => goTo(event.key === "Home" ? 0 : END)],
    [[",", "."], ", .", "slower, faster", (event) => speedUp(event.key === "," ? -1 : 1)],
    [["f", "F"], "f F", "next, last firing of the unit", (event) => firing(event.key === "f" ? 1 : -1)],
  ]],
  ["Signals", [
    [["+", "=", "-"], "+ −", "less, more time", (event) => zoom(event.key === "-" ? 2 : 0.5)],
    [["0"], "0", "all time", () => set({ window: null })],
    [["<", ">"], "< >", "earlier, later", (event) => shift(event.key === "<" ? -0.25 : 0.25)],
    [["y"], "y", "each on its own scale", () => set({ ownScale: !state.ownScale })],
  ]],
  ["Units", [
    [["ArrowUp", "ArrowDown"], "↑ ↓", "last, next unit", (event) => step(event.key === "ArrowUp" ? -1 : 1)],
    [["Escape"], "Esc", "no unit, no pixel", () => set({ unit: null, pixel: null })],
    [["m"], "m", "next method, or the truth", () => nextSet()],
    [["h"], "h", "hide or show this method's outlines", () => toggleSet(state.set)],
    [["x"], "x", "leave the unit out of the reconstruction, take it in", () => unitNow() && toggleUnit(state.unit)],
    [["X"], "X", "only this unit in the reconstruction; all", () => alone()],
  ]],
  ["Image", [
    [["1", "2", "3", "4", "5"], "1 2 3 4 5", "layer", (event) => layer(Number(event.key) - 1)],
    [["[", "]"], "[ ]", "paler, stronger colours", (event) => set({ gain: state.gain * (event.key === "[" ? 0.8 : 1.25) })],
    [["\\"], "\\", "colours as at first", () => set({ gain: 1 })],
    [["o"], "o", "outlines", () => set({ outlines: !state.outlines })],
    [["i"], "i", "to the image; there Shift and arrows move the pixel, Enter takes the unit", () => byId("views").querySelector(".active .stage, .stage").focus()],
    [["z", "Z"], "z Z", "closer; the whole image", (event) => (event.key === "z" ? closer(1.5) : whole())],
    [["r"], "r", "next recording", () => nextRecording()],
  ]],
  ["Page", [
    [["PageUp", "PageDown"], "PgUp PgDn", "last, next sequence", (event) => turn(event.key === "PageUp" ? -1 : 1)],
    [["g"], "g", "go to a sequence", () => byId("sequence").select()],
    [["Tab"], "Tab", "from control to control", null],
    [["?"], "?", "these keys", () => byId("help").showModal()],
  ]],
];

// Keys of parts of the page that are not always there.
export const addKeys = (title, keys) => KEYS.splice(KEYS.length - 1, 0, [title, keys]);

export function createKeys() {
  ACTIONS = new Map(KEYS.flatMap(([, keys]) => keys.flatMap(([names, , , act]) => names.map((name) => [name, act]))));
  byId("keys").append(
    ...KEYS.map(([title, keys]) =>
      element(
        "section",
        {},
        element("h3", {}, title),
        element("dl", {}, ...keys.map(([, shown, words]) => element("div", {}, element("dt", {}, ...caps(shown)), element("dd", {}, words)))),
      ),
    ),
  );
  byId("help-button").addEventListener("click", () => byId("help").showModal());
  document.addEventListener("keydown", pressed);
}

const caps = (shown) => shown.split(" ").flatMap((key) => [element("kbd", {}, key), " "]);

let ACTIONS = new Map();

function pressed(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || byId("help").open || !data.seen.length) return;
  const { target } = event;
  const kind = target.tagName === "INPUT" ? target.type : target.tagName;
  // Where keys have a meaning of their own, they keep it.
  if (kind === "number" && event.key !== "Escape" && !event.key.startsWith("Page")) return;
  if (kind === "SELECT" && event.key !== "Escape") return;
  if (event.key === " " && (kind === "BUTTON" || kind === "checkbox")) return;
  if (target.tagName === "INPUT" && event.key === "Escape") target.blur();
  const name = event.shiftKey && event.key.startsWith("Arrow") ? `S+${event.key}` : event.key;
  const act = ACTIONS.get(name);
  if (!act) return;
  event.preventDefault();
  act(event);
}

function step(by) {
  const order = inOrder();
  if (!order.length) return;
  const place = order.indexOf(state.unit);
  const next = place < 0 ? (by > 0 ? 0 : order.length - 1) : (place + by + order.length) % order.length;
  set({ unit: order[next] });
}

function nextSet() {
  const { sets } = recording();
  if (sets.length > 1) set({ set: (state.set + 1) % sets.length, unit: null, left: new Set() });
}

function nextRecording() {
  if (data.recordings.length < 2) return;
  const next = (state.recording + 1) % data.recordings.length;
  set({ recording: next, set: firstSet(next), unit: null, pixel: null, left: new Set() });
}

function layer(place) {
  const found = recording().layers[place];
  if (found) set({ layer: found.name });
}

function alone() {
  if (!unitNow()) return;
  const others = units().map(({ unit }) => unit).filter((unit) => unit !== state.unit);
  const is = others.every((unit) => state.left.has(unit)) && !state.left.has(state.unit);
  set({ left: new Set(is ? [] : others) });
}

function firing(by) {
  const unit = unitNow();
  if (!unit) return;
  const frames = unit.firings.map((instant) => Math.round(instant * rate()));
  const now = frameAt();
  const next = by > 0 ? frames.find((frame) => frame > now) : frames.findLast((frame) => frame < now);
  if (next !== undefined) set({ time: Math.min(next / rate(), lastTime()) });
}
