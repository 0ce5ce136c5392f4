// The place that is looked at stands in the address, so that loading the page again comes back to it.

import { data, duration, firstSet, units } from "./data.js";
import { on, set, state } from "./state.js";

const NAMES = ["recording", "sequence", "layer", "set", "unit", "time"];
const PAUSE = 250; // ms

let waiting = 0;

export function keepPlace() {
  on([...NAMES, "loaded"], () => {
    clearTimeout(waiting);
    waiting = setTimeout(write, PAUSE);
  });
}

function write() {
  const values = NAMES.filter((name) => state[name] !== null).map((name) => [name, state[name]]);
  history.replaceState(null, "", `#${new URLSearchParams(values)}`);
}

const read = () => new URLSearchParams(location.hash.slice(1));

// Numbers below a bound; anything else is as though it were not there.
function number(name, bound) {
  const value = Number(read().get(name) ?? NaN);
  return Number.isInteger(value) && value >= 0 && value < bound ? value : null;
}

// What the address says of the place, as far as there is such a one; before a sequence is loaded.
export function placeAsked() {
  const recording = number("recording", data.recordings.length) ?? 0;
  const about = data.recordings[recording];
  const layer = about.layers.find((one) => one.name === read().get("layer")) ?? about.layers[0];
  return {
    recording,
    layer: layer.name,
    set: number("set", about.sets.length) ?? firstSet(recording),
    sequence: number("sequence", about.sequences),
  };
}

// What it says of the sequence that has been loaded.
export function goToPlace() {
  const time = Number(read().get("time"));
  if (time > 0 && time < duration()) set({ time });
  const unit = number("unit", units().length);
  if (unit !== null) set({ unit });
}
