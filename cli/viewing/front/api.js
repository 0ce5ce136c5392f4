// Asks the server, and tells whoever listens what went wrong: one line.

const ARRAYS = { float32: Float32Array, uint8: Uint8Array };
const listeners = new Set();

export const onTrouble = (listener) => listeners.add(listener);

function tell(text, status) {
  for (const listener of listeners) listener(text, status);
}

export class Refusal extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

const ask = (name, query, signal) => {
  const values = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return fetched(`api/${name}?${new URLSearchParams(values)}`, { signal });
};

async function fetched(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell("musim view has ended; start it again to go on.", 0);
    throw new Refusal("ended", 0);
  }
  if (!answer.ok) {
    const found = await answer.json().catch(() => ({ error: answer.statusText }));
    tell(found.error, answer.status);
    throw new Refusal(found.error, answer.status);
  }
  return answer;
}

export async function json(name, query = {}, signal = undefined) {
  return (await ask(name, query, signal)).json();
}

// Changes something; a page of another site cannot send this header.
export async function post(name, body = {}) {
  const headers = { "Content-Type": "application/json", "X-Musim": "1" };
  return (await fetched(`api/${name}`, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

// Raw numbers: their values, and the sizes along each dimension.
export async function array(name, query = {}, signal = undefined) {
  const answer = await ask(name, query, signal);
  const [type, sizes] = answer.headers.get("X-Musim-Array").split(" ");
  return { values: new ARRAYS[type](await answer.arrayBuffer()), shape: sizes.split(",").map(Number) };
}

// What was refused has been told; everything else is a fault of the page.
export function quietly(promise) {
  promise.catch((error) => {
    if (!(error instanceof Refusal) && error.name !== "AbortError") throw error;
  });
}
