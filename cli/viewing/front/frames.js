// Frames, fetched in blocks and kept as long as there is room.

import { array, quietly } from "./api.js";
import { chosen, data, layerOf, query, seen, setOf } from "./data.js";
import { state } from "./state.js";

const BLOCK_BYTES = 2 ** 19;
const ROOM = 2 ** 27;
const AT_ONCE = 2;

const kept = new Map(); // in the order of their last use
const asked = new Map(); // waiting, the last asked for at the end
const underway = new Set();
let used = 0;
const listeners = new Set();

export const onFrames = (listener) => listeners.add(listener);

export function forget() {
  kept.clear();
  asked.clear();
  used = 0;
}

function blockLength(number) {
  const [, depth, width] = data.recordings[number].shape;
  return Math.max(1, Math.min(64, Math.floor(BLOCK_BYTES / (4 * depth * width))));
}

function blockQuery(number, block) {
  const layer = layerOf(number);
  const made = layer.needs_units
    ? { set: setOf(number), units: number === state.recording ? chosen() : undefined }
    : {};
  if (layer.needs_unit) Object.assign(made, { units: undefined, unit: state.unit });
  if (!layer.moves) return { name: "map", query: { ...query(number), layer: layer.name, ...made } };
  const length = blockLength(number);
  const first = block * length;
  const count = Math.min(length, seen(number).frames - first);
  return { name: "frames", query: { ...query(number), layer: layer.name, ...made, first, count } };
}

// Whether there is something to show: some layers are of one unit, and one has to be chosen.
export const isAsked = (number) =>
  !layerOf(number).needs_unit || (number === state.recording && state.unit !== null);

// The values of a frame, or null until it is there; it and those that follow are asked for.
export function frameValues(number, frame, ahead = 0) {
  const { moves } = layerOf(number);
  const length = blockLength(number);
  const block = moves ? Math.floor(frame / length) : 0;
  const last = moves ? Math.floor((seen(number).frames - 1) / length) : 0;
  for (let next = Math.min(block + ahead, last); next >= block; next--) want(number, next);
  const found = kept.get(keyOf(number, block));
  if (!found) return null;
  const [depth, width] = found.shape.slice(-2);
  const start = moves ? (frame - block * length) * depth * width : 0;
  return found.values.subarray(start, start + depth * width);
}

const keyOf = (number, block) => JSON.stringify(blockQuery(number, block));

function want(number, block) {
  const key = keyOf(number, block);
  if (kept.has(key)) {
    const found = kept.get(key);
    kept.delete(key);
    kept.set(key, found);
  } else if (!underway.has(key)) {
    asked.delete(key);
    asked.set(key, blockQuery(number, block));
    go();
  }
}

function go() {
  while (underway.size < AT_ONCE && asked.size) {
    const [key, wanted] = [...asked.entries()].at(-1); // what was asked for last is seen now
    asked.delete(key);
    underway.add(key);
    while (asked.size > 8) asked.delete(asked.keys().next().value);
    quietly(
      array(wanted.name, wanted.query)
        .then((found) => keep(key, found))
        .finally(() => {
          underway.delete(key);
          go();
        }),
    );
  }
}

function keep(key, found) {
  kept.set(key, found);
  used += found.values.byteLength;
  for (const [old, { values }] of kept) {
    if (used <= ROOM || old === key) break;
    kept.delete(old);
    used -= values.byteLength;
  }
  for (const listener of listeners) listener();
}
