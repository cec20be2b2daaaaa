// Asking the program: with its token, and never for long.

const PATIENCE = 6_000;

/** What the door says instead of doing what it was asked for. */
export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export class Door {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
  }

  /** @param {string} path */
  get(path) {
    return this.#json(path, {});
  }

  /** @param {string} path @param {object} body */
  post(path, body) {
    const headers = { "content-type": "application/json" };
    // An action ends when it is done, and a part may take its time to stop.
    return this.#json(path, { method: "POST", headers, body: JSON.stringify(body) }, 60_000);
  }

  /**
   * Lines of JSON, as they come; it ends with the answer.
   * @param {string} path @param {AbortSignal} signal
   */
  async *lines(path, signal) {
    yield* lines(await this.stream(path, signal));
  }

  /** An answer as it comes. @param {string} path @param {AbortSignal} signal */
  async stream(path, signal) {
    const response = await this.#ask(path, { signal });
    return response.body;
  }

  async #json(path, options, patience = PATIENCE) {
    const late = AbortSignal.timeout(patience);
    const response = await this.#ask(path, { ...options, signal: late });
    return response.json();
  }

  async #ask(path, options) {
    const headers = { ...options.headers, authorization: `Bearer ${this.token}` };
    const response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
    if (response.ok) return response;
    const said = await response.json().catch(() => ({}));
    throw new Refused(response.status, said.error ?? `it answered ${response.status}`);
  }
}

/**
 * The values of a stream that has one as JSON in each line. A last line that was cut short is not one.
 * @param {ReadableStream<Uint8Array>} stream
 */
export async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const end = text.lastIndexOf("\n");
    if (end < 0) continue;
    for (const line of text.slice(0, end).split("\n")) if (line.trim()) yield JSON.parse(line);
    text = text.slice(end + 1);
  }
}

/**
 * The token of this run: from the address, where it is taken away at once, or from before.
 * @returns {string | null}
 */
export function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token");
}

/** What somebody has pasted: a token, or the link that has it. @param {string} text */
export function tokenOf(text) {
  const found = /(?:token=|^)([0-9a-f]{32})\s*$/i.exec(text.trim());
  return found ? found[1] : null;
}
