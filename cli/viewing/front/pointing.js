// Pointing at an image, by mouse and by keys: what the pixel there shows, and which unit lies there.

import { firstSet, layerOf } from "./data.js";
import { byId, fixed } from "./elements.js";
import { set, state } from "./state.js";

export function point(view) {
  const { stage, number, overlay } = view;
  stage.addEventListener("pointermove", (event) => read(view, place(event, view)));
  stage.addEventListener("pointerleave", () => read(view, null));
  stage.addEventListener("click", (event) => {
    if (!view.zoom.dragged()) pick(number, place(event, view), overlay.unitsAt(event));
  });
  stage.addEventListener("keydown", (event) => walk(event, view));
}

// The pixel of an image where something happened; null outside.
export function place(event, { plane, about }) {
  const box = plane.getBoundingClientRect();
  const [, depth, width] = about.shape;
  const row = Math.floor(((event.clientY - box.top) / box.height) * depth);
  const column = Math.floor(((event.clientX - box.left) / box.width) * width);
  return row < 0 || column < 0 || row >= depth || column >= width ? null : { row, column };
}

function read(view, pixel) {
  const out = byId("readout");
  if (pixel === null || !view.values) {
    out.textContent = "\u00a0";
    return;
  }
  const { about } = view;
  const layer = layerOf(view.number);
  const [depth, width] = about.pixel_size;
  const value = view.values[pixel.row * about.shape[2] + pixel.column];
  out.textContent =
    `${fixed((pixel.row + 0.5) * depth, 1)} ${about.pixel_unit} deep, ` +
    `${fixed((pixel.column + 0.5) * width, 1)} ${about.pixel_unit} across: ` +
    `${fixed(value, layer.name === "bmode" ? 0 : 3)} ${layer.unit}`;
}

// A click takes the pixel, and the smallest unit there; a click on the same takes the next.
function pick(number, pixel, here) {
  if (pixel === null) return;
  const other = number !== state.recording;
  let unit = here[0] ?? null;
  const at = here.findIndex((one) => one.set === state.set && one.unit === state.unit);
  if (!other && at >= 0) unit = here[(at + 1) % here.length];
  const changes = { recording: number, pixel };
  if (other) Object.assign(changes, { set: firstSet(number), left: new Set() });
  if (unit) Object.assign(changes, { set: unit.set, unit: unit.unit });
  else changes.unit = null;
  set(changes);
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// With the image in focus, Shift and arrow keys move the pixel, and Enter takes the unit there.
function walk(event, view) {
  const { number, about, overlay } = view;
  const [, depth, width] = about.shape;
  const pixel = state.pixel ?? { row: depth >> 1, column: width >> 1 };
  if (event.key === "Enter") {
    pick(number, pixel, overlay.unitsIn(pixel));
  } else if (event.shiftKey && event.key in STEPS) {
    const [down, right] = STEPS[event.key];
    const row = Math.max(0, Math.min(pixel.row + down, depth - 1));
    const column = Math.max(0, Math.min(pixel.column + right, width - 1));
    const changes =
      number === state.recording ? {} : { recording: number, set: firstSet(number), unit: null };
    set({ ...changes, pixel: { row, column } });
    read(view, { row, column });
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
