// Lines and outlines that are drawn on the image: what the next clicks on it mean.

import { quietly } from "./api.js";
import { recording, seen } from "./data.js";
import { byId, svg } from "./elements.js";
import { on, set, state } from "./state.js";

const STEP = 4; // px between two points of a line that is drawn
const CLOSE = 9; // px from the first corner within which a click closes an outline
const MOST = 900; // points of an outline

let send = null;
let drawing = null; // {pointer, moved} while a line is drawn about a unit
let passed = 0; // the last line that was drawn, whose click is none
let pixelThen = null; // the pixel that was chosen as the last corner was taken

export function createTools(change) {
  send = (values) => quietly(change("edit", { recording: state.recording, sequence: seen().sequence, edit: values }));
  const box = byId("views");
  // Before the image itself hears of them.
  box.addEventListener("click", clicked, true);
  box.addEventListener("pointerdown", down, true);
  box.addEventListener("pointermove", moved, true);
  box.addEventListener("pointerup", up, true);
  box.addEventListener("pointercancel", up, true);
  box.addEventListener("keydown", pressed, true);
  on(["tool"], draw);
}

const isDrawing = () => Boolean(state.tool) && state.tool.name !== "merge";
const isOutline = () => state.tool?.name === "redraw" || state.tool?.name === "draw";

const stages = () => [...byId("views").querySelectorAll(".stage")];
const ownStage = () => stages()[state.recording];

function sizes() {
  const { shape, pixel_size: pixel } = recording();
  return [shape[1] * pixel[0], shape[2] * pixel[1]];
}

// Depth and width of where the pointer is, mm; null beside the image of the recording.
function placeOf(event) {
  const stage = ownStage();
  if (!stage.contains(event.target)) return null;
  const box = stage.getBoundingClientRect();
  const [depth, width] = sizes();
  const clip = (value, most) => Math.max(0, Math.min(value, most));
  return [
    clip(((event.clientY - box.top) / box.height) * depth, depth),
    clip(((event.clientX - box.left) / box.width) * width, width),
  ];
}

// Distance on the screen, px.
function apart([z, x], [other, across]) {
  const box = ownStage().getBoundingClientRect();
  const [depth, width] = sizes();
  return Math.hypot(((z - other) / depth) * box.height, ((x - across) / width) * box.width);
}

function clicked(event) {
  if (!isDrawing()) return;
  event.stopPropagation();
  event.preventDefault();
  const place = placeOf(event);
  if (event.timeStamp - passed < 250) return; // of the line that was just drawn
  if (place) add(place);
}

function add(place) {
  const { tool } = state;
  const { points } = tool;
  if (isOutline() && points.length > 2 && apart(points[0], place) < CLOSE) return finish();
  pixelThen = state.pixel;
  set({ tool: { ...tool, points: [...points, place] } });
  if (tool.name === "split" && state.tool.points.length === 2) finish();
}

function down(event) {
  if (!isOutline() || event.button !== 0 || state.tool.points.length) return;
  const place = placeOf(event);
  if (!place) return;
  drawing = { points: [place], moved: false };
  ownStage().setPointerCapture(event.pointerId);
}

function moved(event) {
  if (!drawing) return;
  const place = placeOf(event);
  if (!place || apart(drawing.points.at(-1), place) < STEP) return;
  drawing.moved = true;
  drawing.points.push(place);
  if (drawing.points.length > MOST) drawing.points = drawing.points.filter((_, n) => n % 2 === 0);
  set({ tool: { ...state.tool, points: drawing.points.slice() } });
}

// A line that was drawn about something is closed where it ends; a click alone is a corner.
function up(event) {
  if (!drawing) return;
  const { points, moved: was } = drawing;
  drawing = null;
  if (!was) return;
  passed = event.timeStamp;
  if (points.length > 2) finish();
  else set({ tool: { ...state.tool, points: [] } });
}

const samePixel = (one, other) => one?.row === other?.row && one?.column === other?.column;

// With the image in focus, as it is after a click on it too, Enter takes the pixel. Where the pixel has not moved since the
// last corner, however that was taken, Enter closes the outline.
function pressed(event) {
  if (!isDrawing() || event.key !== "Enter" || !event.target.classList.contains("stage")) return;
  event.preventDefault();
  event.stopPropagation();
  const { shape, pixel_size: size } = recording();
  if (state.tool.points.length && samePixel(state.pixel, pixelThen)) return void finish();
  const pixel = state.pixel ?? { row: shape[1] >> 1, column: shape[2] >> 1 };
  if (state.pixel === null) set({ pixel });
  add([(pixel.row + 0.5) * size[0], (pixel.column + 0.5) * size[1]]);
}

// Send what was drawn, if it is enough; return whether it was.
export function finish() {
  const { tool } = state;
  if (!tool) return false;
  const points = tool.points.map((point) => point.map((value) => Math.round(value * 1e4) / 1e4));
  if (tool.name === "split" && points.length === 2) send({ edit: "split", unit: tool.unit, line: points });
  else if (isOutline() && points.length > 2) {
    const unit = tool.name === "redraw" ? { unit: tool.unit } : {};
    send({ edit: tool.name, ...unit, polygon: points });
  } else return false;
  set({ tool: null });
  return true;
}

// What is drawn so far, over the image of the recording that is curated.
function draw() {
  for (const stage of stages()) stage.querySelector(".tool")?.remove();
  if (!isDrawing()) return;
  const [depth, width] = sizes();
  const { points } = state.tool;
  const shape = points.map(([z, x]) => `${x},${z}`).join(" ");
  const corners = points.length > 24 ? [] : points;
  const mark = ([z, x]) => svg("path", { class: "corner", d: `M${x} ${z}h0` });
  ownStage().append(
    svg(
      "svg",
      { class: "tool", viewBox: `0 0 ${width} ${depth}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("polyline", { class: "under", points: shape }),
      svg("polyline", { points: shape }),
      ...corners.map(mark),
    ),
  );
}

