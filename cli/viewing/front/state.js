// What the page shows now. Parts of the page listen for the names of what they show.

const listeners = [];

export const state = {
  recording: 0, // the one whose units and signals are shown
  sequence: 0,
  time: 0, // s
  layer: "",
  set: 0, // of units
  hidden: new Set(), // numbers of sets that are not outlined
  left: new Set(), // numbers of units that the reconstruction goes without
  unit: null, // of the set
  pixel: null, // {row, column}
  window: null, // [first, last] s of the signals; null: all
  playing: false,
  speed: 0.1,
  gain: 1,
  outlines: true,
  ownScale: false,
  curation: null, // how far it has come, as the server says
  tool: null, // {name, points}: what the next clicks on the image mean
  judged: null, // another one whenever a set has been compared with the truth
};

export function on(names, listener) {
  listeners.push([new Set(names), listener]);
}

// Change some values, and tell who listens to any that are now others.
export function set(changes) {
  const changed = Object.keys(changes).filter((name) => changes[name] !== state[name]);
  Object.assign(state, changes);
  for (const [names, listener] of listeners) {
    if (changed.some((name) => names.has(name))) listener(changed);
  }
}
