// What is known of recordings and of the sequence that is seen, and which moment of it.

import { array, json } from "./api.js";
import { set, state } from "./state.js";

export const data = {
  recordings: [], // as the server describes them
  colours: [], // of units
  maps: {}, // 256 colours each, by name
  seen: [], // of each recording: {sequence, frames, ranges, facts, units}
};

export async function loadAbout() {
  const [about, maps] = await Promise.all([json("about"), array("colours")]);
  Object.assign(data, { recordings: about.recordings, colours: about.colours });
  ["velocity", "deviation", "grey"].forEach((name, number) => {
    data.maps[name] = table(maps.values.subarray(number * 768, (number + 1) * 768));
  });
  return about;
}

// Colours as canvases hold them, one number a pixel.
function table(values) {
  const colours = new Uint32Array(256);
  const bytes = new Uint8ClampedArray(colours.buffer);
  for (let n = 0; n < 256; n++) {
    bytes.set(values.subarray(3 * n, 3 * n + 3), 4 * n);
    bytes[4 * n + 3] = 255;
  }
  return colours;
}

let latest = 0;

// Read what is known of a sequence in all recordings; of the last one asked for alone.
export async function loadSequence(sequence) {
  const mine = ++latest;
  const seen = await Promise.all(
    data.recordings.map(async (recording, number) => {
      const there = Math.min(sequence, recording.sequences - 1);
      const query = { recording: number, sequence: there };
      const [about, units] = await Promise.all([json("sequence", query), json("units", query)]);
      return { sequence: there, ...about, units };
    }),
  );
  if (mine !== latest) return;
  data.seen = seen;
  const stays = sequence === state.sequence;
  set({
    sequence,
    unit: null,
    left: new Set(),
    window: null,
    time: stays ? state.time : Math.min(state.time, duration()),
    loaded: mine,
  });
}

// Compare the units of the set with the true ones, where there are such: it takes a moment.
export async function loadMatches() {
  const { sets } = recording();
  const here = seen();
  const place = state.set;
  if (sets[place]?.kind !== "found" || sets[0].kind !== "true" || here.units[place] === null) return;
  here.matches ??= {};
  if (here.matches[place] !== undefined) return;
  here.matches[place] = null;
  here.matches[place] = await json("matches", { ...query(), set: place });
  set({ judged: {} });
}

// What the units of the set are in the light of the true ones; null where that is not known.
export const matches = () => seen()?.matches?.[state.set] ?? null;

// The set that is shown first: what a method found, or else the truth.
export function firstSet(number) {
  const found = data.recordings[number].sets.findIndex((one) => one.kind === "found");
  return Math.max(found, 0);
}

// The set whose units are in colour, and of which reconstructions are made.
export const setOf = (number) => (number === state.recording ? state.set : firstSet(number));

export const recording = () => data.recordings[state.recording];
export const seen = (number = state.recording) => data.seen[number];
export const units = () => seen()?.units[state.set] ?? [];
// Where units are curated, some places are empty: their units are others now.
export const isThere = (unit) => !unit.gone;
export const unitNow = () => (state.unit === null ? null : (units()[state.unit] ?? null));
// Whether more than their firings is known of the units of the set.
export const arePlaced = () => recording().sets[state.set]?.kind !== "known";
export const nameOf = (unit) => unit.name ?? String(unit.unit);
export const rate = (number = state.recording) => data.recordings[number].frame_rate;
export const duration = () => seen().frames / rate();
export const setName = (number) => recording().sets[number].name;

export function layerOf(number = state.recording) {
  const { layers } = data.recordings[number];
  return layers.find((layer) => layer.name === state.layer) ?? layers[0];
}

// The frame of a recording at the moment that is seen, or at another.
export function frameAt(number = state.recording, time = state.time) {
  return Math.max(0, Math.min(Math.floor(time * rate(number) + 1e-6), seen(number).frames - 1));
}

export const query = (number = state.recording) => ({
  recording: number,
  sequence: seen(number).sequence,
});

// Units of which reconstructions are made: all of the set, but for those left out.
export function chosen() {
  const inside = units().filter((unit) => !state.left.has(unit.unit) && !unit.gone && !unit.rejected);
  if (inside.length === units().length) return undefined;
  return inside.map((unit) => unit.unit).join(",");
}
