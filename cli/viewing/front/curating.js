// Curation: what people say of units, sent to the server one change at a time.

import { json, post, quietly } from "./api.js";
import { forget } from "./frames.js";
import { data, frameAt, isThere, loadSequence, query, rate, recording, seen, unitNow } from "./data.js";
import { byId, element } from "./elements.js";
import { createFirings } from "./firings.js";
import { addKeys } from "./keys.js";
import { on, set, state } from "./state.js";
import { createTools, finish } from "./tools.js";

const NEAR = 0.05; // s from the moment that is seen, within which a firing is the one that is meant
const OFTEN = 400; // ms between two looks at how far saving has come
const SOON = 300; // ms after which a change that is not done yet is said to be worked out

let busy = false;
let buttons = [];

export function createCurating(told) {
  state.curation = told;
  createTools(change);
  createFirings(change);
  build();
  addKeys("Curation", [
    [["a"], "a", "accept the unit", accept],
    [["d"], "d", "reject it", reject],
    [["c"], "c", "combine it with the unit chosen next", () => tool("merge")],
    [["s"], "s", "split it: two points of a line on the image", () => tool("split")],
    [["w"], "w", "outline it anew: corners, or a line drawn about it", () => tool("redraw")],
    [["n"], "n", "outline a new unit", () => tool("draw")],
    [["Enter"], "Enter", "close the outline", () => finish()],
    [["e"], "e", "add a firing at this moment", addFiring],
    [["Delete", "Backspace"], "Delete", "take the nearest firing away", removeFiring],
    [["j", "k"], "j k", "nearest firing a frame earlier, later", (event) => moveFiring(event.key === "j" ? -1 : 1)],
    [["z", "Z"], "z Z", "undo, redo", (event) => quietly(change(event.key === "z" ? "undo" : "redo"))],
    [["S"], "S", "save", save],
  ]);
  on(["curation", "tool", "unit", "set", "loaded", "recording"], show);
  // Esc ends a tool before it lets the unit go.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !state.tool || byId("help").open) return;
    event.stopImmediatePropagation();
    set({ tool: null });
  }, true);
  on(["set", "recording", "sequence"], () => state.tool && set({ tool: null }));
  on(["unit"], combined);
}

const isCurated = () => Boolean(recording().sets[state.set]?.curated);
const ownSet = () => recording().sets.findIndex((one) => one.curated);

// The unit that is chosen of those that are curated; without one, what to do is said.
function unitHere() {
  if (isCurated() && unitNow() && isThere(unitNow())) return unitNow();
  say("Choose one of the units that are curated.");
  return null;
}

function say(text) {
  byId("curation-hint").textContent = text;
}

// Whether the last change is still worked out, which takes long where trains are read anew; then that is said.
function isBusy() {
  if (busy) say("The last change is still being worked out: this one was not made. Press again when it is done.");
  return busy;
}

// Ask for a change, then show the units as they are now. One at a time.
export async function change(name, body = {}) {
  if (isBusy()) return;
  busy = true;
  document.body.classList.add("changing");
  const late = setTimeout(show, SOON);
  try {
    const told = await post(name, body);
    forget();
    const { recording: number, sequence } = told;
    set({ curation: told, tool: null });
    if (sequence !== undefined && (number !== state.recording || sequence !== seen().sequence)) {
      set({ recording: number, set: data.recordings[number].sets.findIndex((one) => one.curated), unit: null });
      await loadSequence(sequence);
    } else if (sequence !== undefined) await reload(told.made);
  } finally {
    clearTimeout(late);
    busy = false;
    document.body.classList.remove("changing");
    show();
  }
}

// The units of this sequence anew; of what a change made the first is chosen.
async function reload(made) {
  const here = seen();
  const unit = state.unit;
  here.units = await json("units", query());
  here.matches = {};
  if (seen() !== here) return;
  const now = here.units[ownSet()] ?? [];
  const stays = unit !== null && isThere(now[unit] ?? { gone: true }) ? unit : null;
  set({ loaded: {}, unit: isCurated() ? (made ?? stays) : unit });
}

export const edit = (values) =>
  quietly(change("edit", { recording: state.recording, sequence: seen().sequence, edit: values }));

const of = (name, unit, more = {}) => edit({ edit: name, unit: unit.unit, ...more });

function accept() {
  const unit = unitHere();
  if (unit && !unit.accepted) of("accept", unit);
}

function reject() {
  const unit = unitHere();
  if (unit && !unit.rejected) of("reject", unit);
}

function tool(name) {
  if (isBusy()) return;
  if (state.tool?.name === name) return finish() || set({ tool: null });
  if (name !== "draw" && !unitHere()) return;
  if (ownSet() < 0) return;
  set({ set: ownSet(), tool: { name, unit: state.unit, points: [] } });
}

// While units are combined, the unit that is chosen next is the other one.
function combined() {
  const { tool: now, unit } = state;
  if (now?.name !== "merge" || unit === null || unit === now.unit || !isCurated()) return;
  edit({ edit: "merge", units: [now.unit, unit] });
}

const moment = () => frameAt() / rate();

function nearest(unit) {
  const distance = (instant) => Math.abs(instant - moment());
  const found = unit.firings.reduce((a, b) => (a === null || distance(b) < distance(a) ? b : a), null);
  if (found !== null && distance(found) <= NEAR) return found;
  say("No firing is near this moment: f goes to the next one.");
  return null;
}

function addFiring() {
  const unit = unitHere();
  if (unit) of("add_firing", unit, { instant: moment() });
}

function removeFiring() {
  const unit = unitHere();
  const instant = unit && nearest(unit);
  if (unit && instant !== null) of("remove_firing", unit, { instant });
}

function moveFiring(frames) {
  const unit = unitHere();
  const instant = unit && nearest(unit);
  if (!unit || instant === null) return;
  const to = instant + frames / rate();
  of("move_firing", unit, { instant, to });
  set({ time: Math.max(0, to) });
}

function save() {
  if (busy || state.curation.saving) return;
  const looking = setInterval(() => {
    quietly(json("curation").then((told) => set({ curation: told })));
  }, OFTEN);
  quietly(
    post("save").then((told) => set({ curation: told })).finally(() => {
      clearInterval(looking);
      quietly(json("curation").then((told) => set({ curation: told })));
    }),
  );
}

const BUTTONS = [
  ["Unit", [
    ["Accept", "a", accept, "unit"],
    ["Reject", "d", reject, "unit"],
    ["Combine", "c", () => tool("merge"), "unit", "merge"],
    ["Split", "s", () => tool("split"), "unit", "split"],
    ["Outline anew", "w", () => tool("redraw"), "unit", "redraw"],
    ["New unit", "n", () => tool("draw"), "", "draw"],
  ]],
  ["Firing", [
    ["Add", "e", addFiring, "unit"],
    ["Remove", "Delete", removeFiring, "unit"],
    ["Earlier", "j", () => moveFiring(-1), "unit"],
    ["Later", "k", () => moveFiring(1), "unit"],
  ]],
  ["Changes", [
    ["Undo", "z", () => quietly(change("undo")), "undo"],
    ["Redo", "Z", () => quietly(change("redo")), "redo"],
    ["Save", "S", save, "save"],
  ]],
];

function build() {
  const box = byId("curating");
  box.hidden = false;
  const groups = BUTTONS.map(([title, some]) =>
    element("span", { class: "group", role: "group", "aria-label": title }, element("small", {}, title), ...some.map(button)),
  );
  const status = element("p", { id: "curation-status", role: "status" });
  const done = element("button", { type: "button", class: "small", id: "curation-done", hidden: true, onclick: finish }, "Close outline");
  const hint = element("p", { id: "curation-hint", "aria-live": "polite" });
  box.append(...groups, status, element("div", { id: "curation-help" }, hint, done));
  show();
}

function button([label, key, act, needs, name]) {
  const made = element("button", { type: "button", class: "small", title: `${label} (${key})`, onclick: act }, label);
  if (name) made.setAttribute("aria-pressed", "false");
  buttons.push({ made, needs, name });
  return made;
}

const HINTS = {
  merge: (unit) => `Choose the unit that is one with ${unit}.`,
  split: (unit) => `Split ${unit}: click two points of a line that cuts it.`,
  redraw: (unit) => `Draw a line about unit ${unit}, or click its corners; Enter closes it.`,
  draw: () => "Draw a line about a new unit, or click its corners; Enter closes it.",
};

function show() {
  const { curation: told, tool: now } = state;
  if (!data.seen.length) return;
  const there = isCurated() && unitNow() !== null && isThere(unitNow());
  const can = {
    "": ownSet() >= 0 && seen().units[ownSet()] !== null,
    unit: there,
    undo: told.undo !== null,
    redo: told.redo !== null,
    save: !told.saved && !told.saving,
  };
  for (const { made, needs, name } of buttons) {
    made.disabled = !can[needs] || busy;
    if (name) made.setAttribute("aria-pressed", String(now?.name === name));
    if (needs === "undo" || needs === "redo") made.title = `${needs === "undo" ? "Undo" : "Redo"}${told[needs] ? `: ${told[needs]}` : ""} (${needs === "undo" ? "z" : "Z"})`;
  }
  byId("curation-status").textContent = status(told);
  byId("curation-done").hidden = !(now && (now.name === "redraw" || now.name === "draw") && now.points.length > 2);
  byId("curation-hint").textContent = busy ? "Working out the change …" : now ? `${HINTS[now.name](now.unit)} Esc ends.` : "";
  document.body.classList.toggle("drawing", Boolean(now) && now.name !== "merge");
}

function status(told) {
  const { saving } = told;
  const number = `${told.changes} ${told.changes === 1 ? "change" : "changes"}`;
  if (saving) return `Saving: ${saving.done} of ${saving.total} sequences …`;
  if (told.saved) return `${number} by ${told.by}, saved in ${told.out}`;
  return `${number} by ${told.by}, kept in ${told.draft} until saved in ${told.out}`;
}
