// The page: begins it, and says what goes wrong.

import { json, onTrouble, quietly } from "./api.js";
import { data, loadAbout, loadMatches, loadSequence, rate, recording, seen } from "./data.js";
import { createCurating } from "./curating.js";
import { createDetail } from "./detail.js";
import { byId, element } from "./elements.js";
import { createImages } from "./image.js";
import { createKeys } from "./keys.js";
import { goToPlace, keepPlace, placeAsked } from "./place.js";
import { createPlayer, firstSpeed } from "./player.js";
import { on, set, state } from "./state.js";
import { createTrains } from "./trains.js";
import { createUnits } from "./units.js";

const OFTEN = 3000; // ms between two looks whether the stores are still there

// Of several things that go wrong the first one counts: what follows comes of it.
onTrouble((text, status) => {
  const box = byId("trouble");
  if (!box.hidden && status !== 0) return;
  const again = element("button", { type: "button", onclick: () => location.reload() }, "Load again");
  const close = element("button", { type: "button", onclick: () => (box.hidden = true) }, "Close");
  box.replaceChildren(
    element("span", {}, text),
    status === 409 || status === 410 || status === 0 ? again : close,
  );
  box.hidden = false;
  set({ playing: false });
});

function showFacts() {
  const about = recording();
  const [, depth, width] = about.shape;
  document.body.classList.toggle("no-units", !about.sets.length);
  byId("own-scale").hidden = !about.sets.length;
  byId("outlines").hidden = !about.sets.length && !seen().marks.length;
  document.body.classList.toggle("stills", seen().frames === 1 && !about.sets.length);
  document.title = `${about.name} · musim view`;
  byId("name").textContent = about.name;
  byId("name").title = about.place;
  const { frames, facts } = seen();
  const size = `${depth} × ${width} px`;
  const length =
    frames > 1
      ? `${frames} frames at ${Number(rate().toFixed(2))} Hz, ${Number((frames / rate()).toPrecision(3))} s`
      : null;
  byId("facts").textContent = [about.made_by, ...facts, size, length].filter(Boolean).join(" · ");
}

async function begin() {
  const about = await loadAbout();
  createImages();
  createPlayer();
  createTrains();
  createUnits();
  createDetail();
  if (about.curation) createCurating(about.curation);
  createKeys();
  on(["loaded", "recording"], showFacts);
  on(["loaded", "recording", "set"], () => quietly(loadMatches()));
  const asked = placeAsked();
  // Nobody is told yet: there is nothing to show.
  Object.assign(state, asked, {
    speed: firstSpeed(rate()),
    sequence: asked.sequence ?? about.sequence,
  });
  await loadSequence(state.sequence);
  if (asked.sequence === null && about.frame) set({ time: about.frame / rate() });
  goToPlace();
  keepPlace();
  document.body.classList.add("ready");
  setInterval(
    () => document.visibilityState === "visible" && byId("trouble").hidden && quietly(json("state")),
    OFTEN,
  );
}

// For scripts that look at the page.
window.musim = { state, data };
quietly(begin());
