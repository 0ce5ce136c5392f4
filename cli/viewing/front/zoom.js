// Looking closer at an image: the wheel zooms about the pointer, dragging moves what is seen.

const MOST = 16;
const DRAG = 4; // px that are no click any more

export function createZoom(stage, plane) {
  let [zoom, left, top] = [1, 0, 0]; // of the whole image, where the window on it begins
  let from = null; // where a drag began
  let moved = false;

  function show(factor, x, y) {
    zoom = factor;
    left = Math.max(0, Math.min(x, 1 - 1 / zoom));
    top = Math.max(0, Math.min(y, 1 - 1 / zoom));
    plane.style.width = plane.style.height = `${100 * zoom}%`;
    plane.style.left = `${-100 * left * zoom}%`;
    plane.style.top = `${-100 * top * zoom}%`;
    stage.classList.toggle("closer", zoom > 1);
  }

  // About a place in the window, 0..1 across and down; its middle if not said.
  function by(factor, across = 0.5, down = 0.5) {
    const next = Math.max(1, Math.min(zoom * factor, MOST));
    show(next, left + across / zoom - across / next, top + down / zoom - down / next);
  }

  stage.addEventListener(
    "wheel",
    (event) => {
      // On a narrow page, which scrolls, the wheel scrolls it.
      if (document.documentElement.scrollHeight > innerHeight && !event.ctrlKey) return;
      event.preventDefault();
      const box = stage.getBoundingClientRect();
      const place = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      by(Math.exp(-event.deltaY / 400), ...place);
    },
    { passive: false },
  );
  stage.addEventListener("pointerdown", (event) => {
    moved = false;
    if (zoom > 1 && event.button === 0) from = { x: event.clientX, y: event.clientY, left, top };
  });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    const [right, down] = [event.clientX - from.x, event.clientY - from.y];
    moved ||= Math.hypot(right, down) > DRAG;
    const box = stage.getBoundingClientRect();
    if (moved) show(zoom, from.left - right / box.width / zoom, from.top - down / box.height / zoom);
  });
  addEventListener("pointerup", () => (from = null));

  return { by, reset: () => show(1, 0, 0), dragged: () => moved };
}
