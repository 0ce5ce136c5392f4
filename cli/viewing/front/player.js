// Time: playing, stepping, and the slider. Where sequences have one frame, sequences are stepped.

import { quietly } from "./api.js";
import { duration, frameAt, loadSequence, rate, recording, seen } from "./data.js";
import { byId, element, fixed, press } from "./elements.js";
import { frameValues } from "./frames.js";
import { on, set, state } from "./state.js";

const SPEEDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2];
const SEEN = 60; // frames a second that can be followed
const PAGES_PER_SECOND = 3;

let last = 0;

// The speed at which a recording is played first: no faster than it is, nor than can be seen.
export const firstSpeed = (hertz) =>
  SPEEDS.findLast((speed) => speed <= 1 && speed * hertz <= SEEN) ?? SPEEDS[0];

export const isStill = () => seen().frames === 1;

export function createPlayer() {
  byId("play").addEventListener("click", toggle);
  byId("frame").addEventListener("input", (event) => goTo(Number(event.target.value)));
  byId("speed").append(...SPEEDS.map((speed) => element("option", { value: speed }, `${speed} ×`)));
  byId("speed").addEventListener("change", (event) => set({ speed: Number(event.target.value) }));
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  byId("sequence").addEventListener("change", (event) => open(Number(event.target.value)));
  on(["loaded", "recording", "time"], show);
  on(["speed", "loaded"], () => (byId("speed").value = state.speed));
  on(["playing"], () => {
    press(byId("play"), state.playing);
    byId("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
    if (state.playing) requestAnimationFrame(start);
  });
}

export const toggle = () => set({ playing: !state.playing });

// Steps of the slider: frames, or sequences where each has one frame.
const steps = () => (isStill() ? recording().sequences : seen().frames);
const now = () => (isStill() ? seen().sequence : frameAt());

export function goTo(step) {
  const to = Math.max(0, Math.min(step, steps() - 1));
  if (isStill()) return open(to);
  set({ time: to / rate() });
}

export const move = (by) => goTo(now() + by);
export const turn = (by) => open(state.sequence + by);

export function open(sequence) {
  const to = Math.max(0, Math.min(Math.round(sequence) || 0, recording().sequences - 1));
  byId("sequence").value = to;
  if (to !== state.sequence) quietly(loadSequence(to));
}

export function speedUp(by) {
  const place = SPEEDS.findIndex((speed) => speed >= state.speed);
  set({ speed: SPEEDS[Math.max(0, Math.min(place + by, SPEEDS.length - 1))] });
}

function start(instant) {
  last = instant;
  requestAnimationFrame(play);
}

// Time goes on as the clock does; while frames are awaited, it waits.
function play(instant) {
  if (!state.playing) return;
  const passed = (instant - last) / 1000;
  if (isStill()) {
    if (passed * PAGES_PER_SECOND >= 1) {
      last = instant;
      open((state.sequence + 1) % recording().sequences);
    }
  } else {
    last = instant;
    const time = state.time + Math.min(passed, 0.25) * state.speed;
    const [first, end] = state.window ?? [0, duration()];
    const wrapped = time >= end || time < first ? first : time;
    if (frameValues(state.recording, frameAt(state.recording, wrapped), 3) !== null) set({ time: wrapped });
  }
  requestAnimationFrame(play);
}

function show() {
  const slider = byId("frame");
  slider.max = steps() - 1;
  slider.value = now();
  const frame = frameAt();
  byId("time").textContent = isStill()
    ? `${now()} of ${steps()}`
    : `${fixed(frame / rate(), 4)} s · frame ${frame} of ${seen().frames}`;
  slider.setAttribute("aria-valuetext", byId("time").textContent);
  const { sequences } = recording();
  byId("sequence").max = sequences - 1;
  byId("sequence").value = seen().sequence;
  byId("count").textContent = `of ${sequences}`;
  byId("previous").disabled = seen().sequence === 0;
  byId("next").disabled = seen().sequence === sequences - 1;
}
