// What is drawn about the curves: the ground of the chosen row, firings, and the names of rows.

import { css } from "./colours.js";
import { state } from "./state.js";

const isLit = (row) => row.unit !== null && row.unit === state.unit;

// The ground of the row that is chosen, and the zero of each.
export function ground(self, rows) {
  const { ctx, bbox } = self;
  ctx.save();
  rows.forEach((row, place) => {
    const top = bbox.top + (bbox.height * place) / rows.length;
    if (isLit(row)) {
      ctx.fillStyle = css("--lit");
      ctx.fillRect(bbox.left, top, bbox.width, bbox.height / rows.length);
    }
  });
  ctx.restore();
}

// Firings at the foot of each row; those of the true unit beneath, in grey.
export function ticks(self, rows) {
  const { ctx, bbox } = self;
  const height = bbox.height / rows.length;
  const length = Math.min(height * 0.16, 6 * devicePixelRatio);
  ctx.save();
  ctx.lineWidth = Math.max(1, devicePixelRatio);
  rows.forEach((row, place) => {
    const foot = bbox.top + height * (place + 1) - 1;
    const truths = row.under ? length : 0;
    marks(self, row.firings, row.colour, foot - truths - length, foot - truths - 1);
    if (row.under) marks(self, row.under.firings, css("--faint"), foot - length + 1, foot);
  });
  ctx.restore();
}

function marks(self, firings, colour, top, bottom) {
  const { ctx } = self;
  const { min, max } = self.scales.x;
  ctx.strokeStyle = colour;
  ctx.beginPath();
  for (const firing of firings) {
    if (firing < min || firing > max) continue;
    const across = Math.round(self.valToPos(firing, "x", true)) + 0.5;
    ctx.moveTo(across, bottom);
    ctx.lineTo(across, top);
  }
  ctx.stroke();
}

export function names(self, rows) {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  rows.forEach((row, place) => {
    ctx.font = `${isLit(row) ? "bold " : ""}${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillStyle = row.colour;
    ctx.fillText(
      row.label,
      bbox.left - 8 * devicePixelRatio,
      bbox.top + (bbox.height * (place + 0.42)) / rows.length,
    );
  });
  ctx.restore();
}
