// Elements of the page. Texts are texts: nothing that a store says is read as HTML.

export const byId = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  return filled(made, properties, children);
}

export function svg(name, properties = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  return filled(made, properties, children);
}

function filled(made, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style")
      for (const [name, one] of Object.entries(value)) made.style.setProperty(name, one);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Fill a box anew; what had the focus has it again, known by its `data-focus`.
export function refill(box, ...children) {
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  box.replaceChildren(...children);
  if (focused !== undefined) box.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

// A number as it reads: a dash where it is not known, a minus that is one.
export function fixed(value, decimals = 2) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const text = value.toFixed(decimals);
  return (/^-[0.]+$/.test(text) ? text.slice(1) : text).replace("-", "−");
}

export function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}
