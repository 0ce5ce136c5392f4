// The rows of signals: what each shows of the time that is seen, from the top to the bottom.

import { array } from "./api.js";
import { css, lineColour } from "./colours.js";
import { arePlaced, isThere, matches, nameOf, query, recording, seen, units } from "./data.js";
import { span } from "./span.js";
import { state } from "./state.js";

// {label, colour, unit, firings, x, values, under}: of the chosen pixel, of what was recorded beside
// a video, of each unit with the true one under it.
export async function fetchRows(points) {
  const window = { ...query(), ...span(), points };
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
    // As they are now: until the answer is there, they may have been changed.
    const [those, judged] = [units(), matches()];
    const true_ = judged ? array("trains", { ...window, set: 0 }) : null;
    asked.push(Promise.all([own, true_]).then(([found, truth]) => unitRows(those, judged, found, truth)));
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

const rowOf = (found, place) =>
  found.values.subarray((place + 1) * found.shape[1], (place + 2) * found.shape[1]);

function unitRows(those, judged, found, truth) {
  return those.map((unit, place) => {
    if (!isThere(unit)) return null;
    const partner = truth && judged.found[unit.unit].partner;
    const known = partner !== null && partner !== undefined;
    return {
      label: nameOf(unit),
      colour: lineColour(unit.unit),
      unit: unit.unit,
      firings: unit.firings,
      x: frames(found),
      values: arePlaced() ? rowOf(found, place) : new Float32Array(found.shape[1]).fill(NaN),
      under: known ? { values: rowOf(truth, partner), firings: seen().units[0][partner].firings } : null,
    };
  }).filter(Boolean);
}

// Each row lies in a band of its own, 1 high; the first is the uppermost. The scale of trains is
// that of the whole sequence, whatever time is seen.
export function bands(rows) {
  const peaks = units().map((unit) => unit.peak);
  const shared = Math.max(...peaks, 0) || 1;
  return rows.map((row, place) => {
    const middle = rows.length - place - 0.42;
    const [low, high] = endsOf(row, shared);
    const centre = (low + high) / 2;
    const half = (high - low) / 2 || 1;
    const lift = (values) =>
      Array.from(values, (value) =>
        Number.isFinite(value) ? middle + ((value - centre) / half) * 0.46 : null,
      );
    return { own: lift(row.values), under: row.under ? lift(row.under.values) : null };
  });
}

// Velocities lie about 0; signals beside a video fill their row from their lowest value to the highest.
function endsOf(row, shared) {
  if (row.unit !== null) {
    const size = state.ownScale ? (units()[row.unit]?.peak ?? 1) || 1 : shared;
    return [-size, size];
  }
  let [low, high] = [Infinity, -Infinity];
  for (const value of row.values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!Number.isFinite(low)) return [0, 1];
  if (recording().kind === "video") return [low, high];
  const size = Math.max(-low, high) || 1;
  return [-size, size];
}
