// Colours of units and of sets; those of units are the ones of musim's pages and pictures.

import { data } from "./data.js";

// Of sets that are not the one in colour: safe for the colour-blind (Okabe and Ito), and dashed each
// in a way of its own. True units are black.
const SETS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];
const DASHES = ["7 3", "2 3", "9 3 2 3", "5 2 1 2 1 2", "12 4", "1 2"];

export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

export const unitColour = (unit) => data.colours[unit % data.colours.length];

export function setStyle(kind, number) {
  if (kind !== "found") return { colour: "#111111", dashes: "2.5 2" };
  return { colour: SETS[number % SETS.length], dashes: DASHES[number % DASHES.length] };
}

// The style of one of a recording's sets.
export const styleOf = (sets, place) => setStyle(sets[place].kind, place - (sets[0].kind !== "found"));

const channels = (colour) => [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));

function luminance(colour) {
  const [red, green, blue] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// A unit's colour as a line on the page's ground: on a dark one, dark colours are made lighter.
export function lineColour(unit) {
  const colour = unitColour(unit);
  if (!isDark() || luminance(colour) > 0.2) return colour;
  const [red, green, blue] = channels(colour);
  const most = Math.max(red, green, blue);
  // As light as it gets without losing its hue; then towards white.
  let lighter = [red, green, blue].map((value) => (value * 255) / most);
  while (luminance(hex(lighter)) < 0.2) lighter = lighter.map((value) => value + (255 - value) * 0.1);
  while (luminance(hex(lighter)) > 0.3) lighter = lighter.map((value) => value * 0.95);
  return hex(lighter);
}

const hex = (values) => `#${values.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;

export const textOn = (colour) => (luminance(colour) > 0.179 ? "#000" : "#fff");

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
