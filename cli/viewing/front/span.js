// The time that the signals show: all of it, or a part.

import { duration, rate, seen } from "./data.js";
import { set, state } from "./state.js";

export const windowNow = () => state.window ?? [0, duration()];

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

export function show(first, last) {
  const length = last - first;
  if (length >= duration()) return set({ window: null });
  const start = Math.max(0, Math.min(first, duration() - length));
  set({ window: [start, start + length] });
}

// The frames of the window, a little more than are seen.
// The frames of the window, a little more than are seen.
export function span() {
  const [first, last] = windowNow();
  const start = Math.max(0, Math.floor(first * rate()) - 1);
  return { first: start, count: Math.min(seen().frames, Math.ceil(last * rate()) + 2) - start };
}
