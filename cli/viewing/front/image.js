// The image of each recording: its pixels, its scale of colours, and where the pointer is.

import { data, duration, frameAt, layerOf, recording, seen } from "./data.js";
import { byId, element, fixed, press, refill } from "./elements.js";
import { frameValues, isAsked, onFrames } from "./frames.js";
import { createOverlay } from "./outlines.js";
import { point } from "./pointing.js";
import { on, set, state } from "./state.js";
import { createZoom } from "./zoom.js";

const NOTHING = 0xffc2e3ef; // of pixels that are not finite: #efe3c2, as in pictures
const views = [];

export function createImages() {
  for (const [number, about] of data.recordings.entries()) views.push(createView(number, about));
  byId("views").append(...views.map((view) => view.figure));
  byId("views").classList.toggle("several", views.length > 1);
  new ResizeObserver(fit).observe(byId("views"));
  on(["loaded"], fit);
  onFrames(draw);
  on(["time", "layer", "gain", "loaded", "set", "unit", "left", "playing"], draw);
  on(["recording", "pixel", "loaded"], mark);
  on(["loaded", "recording"], drawLayers);
  on(["layer"], drawLayers);
  on(["loaded"], () => byId("readout").replaceChildren("\u00a0"));
  byId("outlines").addEventListener("click", () => set({ outlines: !state.outlines }));
  byId("paler").addEventListener("click", () => set({ gain: state.gain * 0.8 }));
  byId("plain").addEventListener("click", () => set({ gain: 1 }));
  byId("stronger").addEventListener("click", () => set({ gain: state.gain * 1.25 }));
  on(["outlines"], () => press(byId("outlines"), state.outlines));
  return views;
}

function createView(number, about) {
  const [, depth, width] = about.shape;
  const canvas = element("canvas", { width, height: depth });
  const overlay = createOverlay(number, about);
  const pointer = element("span", { class: "crosshair", hidden: true });
  const plane = element("div", { class: "plane" }, canvas, overlay.root, pointer);
  const words =
    `Image of ${about.name}: click a unit or a pixel; with the image in focus, Shift and arrow keys ` +
    "move the pixel, and Enter takes the unit there";
  const stage = element("div", { class: "stage", tabindex: 0, role: "group", "aria-label": words }, plane);
  const bar = element("canvas", { width: 1, height: 256 });
  const high = element("span");
  const low = element("span");
  const unit = element("span", { class: "unit-name" });
  const scale = element("div", { class: "colour-bar", "aria-hidden": "true" }, high, bar, low, unit);
  const caption = element("figcaption", {}, about.name);
  const figure = element(
    "figure",
    { class: "view" },
    caption,
    element("div", { class: "row" }, stage, scale),
  );
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, depth);
  const view = { number, about, figure, stage, plane, canvas, context, image, overlay, pointer };
  Object.assign(view, { bar, high, low, unit, scale, zoom: createZoom(stage, plane) });
  point(view);
  return view;
}

const sizeOf = (view) => seen(view.number).proportions;

// The images are as large as there is room for, in the proportions of the tissue.
function fit() {
  if (!data.seen.length) return;
  const box = byId("views");
  const narrow = innerWidth < 760;
  const caption = views.length > 1 ? 26 : 4;
  // As many beside one another as makes them largest.
  let best = 0;
  for (let across = 1; across <= (narrow ? 1 : views.length); across++) {
    const room = {
      width: box.clientWidth / across - 58,
      height: narrow ? innerHeight * 0.62 : box.clientHeight / Math.ceil(views.length / across) - caption,
    };
    const scales = views.map((view) => {
      const [depth, width] = sizeOf(view);
      return Math.max(Math.min(room.width / width, room.height / depth), 1e-6);
    });
    if (Math.min(...scales) <= best) continue;
    best = Math.min(...scales);
    views.forEach((view, place) => size(view, scales[place]));
  }
}

function size(view, scale) {
  const [depth, width] = sizeOf(view);
  view.stage.style.width = `${Math.round(width * scale)}px`;
  view.stage.style.height = `${Math.round(depth * scale)}px`;
  view.scale.style.height = view.stage.style.height;
}

function drawLayers() {
  refill(
    byId("layers"),
    ...recording().layers.map((layer, number) =>
      element(
        "button",
        {
          type: "button",
          "data-focus": layer.name,
          "aria-pressed": String(layer === layerOf()),
          title: `${layer.label} (${number + 1})`,
          onclick: () => set({ layer: layer.name }),
        },
        layer.label,
      ),
    ),
  );
}

// The ends of the scale of colours: those of the sequence, or of the map itself.
function rangeOf(view, values) {
  const layer = layerOf(view.number);
  let [low, high] = seen(view.number).ranges[layer.name] ?? [0, 0];
  if (!layer.moves) {
    for (const value of values ?? []) if (value > high) high = value;
    high = high || 1;
  }
  return [low / state.gain, high / state.gain];
}

export function draw() {
  if (!data.seen.length) return;
  for (const view of views) {
    const asked = isAsked(view.number);
    view.stage.classList.toggle("unasked", !asked);
    if (!asked) {
      clear(view);
      continue;
    }
    const values = frameValues(view.number, frameAt(view.number), state.playing ? 3 : 1);
    const key = `${seen(view.number).sequence}/${layerOf(view.number).name}`;
    view.stage.classList.toggle("waiting", values === null && !state.playing);
    if (values === null) {
      // Of another layer or sequence nothing is left to be taken for what is awaited.
      if (view.shown !== key) clear(view);
      continue;
    }
    view.shown = key;
    const range = rangeOf(view, values);
    paint(view, values, range);
    view.values = values;
    label(view, range);
    view.canvas.dataset.shown = `${key}/${frameAt(view.number)}`;
  }
}

function clear(view) {
  view.context.clearRect(0, 0, view.canvas.width, view.canvas.height);
  view.shown = null;
  view.values = null;
}

function paint(view, values, [low, high]) {
  const colours = data.maps[layerOf(view.number).colours];
  const pixels = new Uint32Array(view.image.data.buffer);
  const scale = 256 / (high - low);
  for (let n = 0; n < values.length; n++) {
    const value = values[n];
    if (value !== value || value === Infinity || value === -Infinity) pixels[n] = NOTHING;
    else {
      const level = Math.floor((value - low) * scale);
      pixels[n] = colours[level < 0 ? 0 : level > 255 ? 255 : level];
    }
  }
  view.context.putImageData(view.image, 0, 0);
}

function label(view, [low, high]) {
  const layer = layerOf(view.number);
  const key = `${layer.name} ${low} ${high}`;
  if (view.labelled === key) return;
  view.labelled = key;
  const image = new ImageData(1, 256);
  const pixels = new Uint32Array(image.data.buffer);
  for (let n = 0; n < 256; n++) pixels[255 - n] = data.maps[layer.colours][n];
  view.bar.getContext("2d").putImageData(image, 0, 0);
  const digits = high >= 100 ? 0 : high >= 10 ? 1 : high >= 1 ? 2 : 3;
  view.high.textContent = fixed(high, digits);
  view.low.textContent = fixed(low, low === 0 ? 0 : digits);
  view.unit.textContent = layer.unit;
}

function mark() {
  for (const view of views) {
    const [, depth, width] = view.about.shape;
    view.figure.classList.toggle("active", views.length > 1 && view.number === state.recording);
    view.pointer.hidden = state.pixel === null || view.number !== state.recording;
    if (state.pixel === null) continue;
    view.pointer.style.top = `${((state.pixel.row + 0.5) / depth) * 100}%`;
    view.pointer.style.left = `${((state.pixel.column + 0.5) / width) * 100}%`;
  }
}

export const lastTime = () => duration() - 1 / recording().frame_rate;

// The image of the recording that is chosen, closer or as a whole.
export const closer = (factor) => views[state.recording].zoom.by(factor);
export const whole = () => views[state.recording].zoom.reset();
