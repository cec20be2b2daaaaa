// Making and changing elements. What a program says becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and content. `class`, `text` and `on…` are what they seem to be.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string | null | false)} content
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...content) {
  return fill(document.createElement(tag), attributes, content);
}

/** The same for SVG. @returns {SVGElement} */
export function s(tag, attributes = {}, ...content) {
  return fill(document.createElementNS(SVG, tag), attributes, content);
}

function fill(element, attributes, content) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else set(element, name, value);
  }
  element.append(...content.filter((one) => one != null && one !== false));
  return element;
}

/** Sets an attribute, or takes it away, if that changes anything. */
export function set(element, name, value) {
  if (value == null || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Sets a text, if that changes anything. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides. */
export function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * Has the children of `parent` be those of `items`, in their order; what has been made for a key is used again.
 * @template T
 * @param {Element} parent @param {T[]} items @param {(item: T) => string} key
 * @param {(item: T) => Element} make @param {(element: Element, item: T) => void} update
 */
export function keyed(parent, items, key, make, update) {
  const known = (parent.known ??= new Map());
  const wanted = new Set(items.map(key));
  for (const [name, element] of known) {
    if (!wanted.has(name)) {
      element.remove();
      known.delete(name);
    }
  }
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let element = known.get(name);
    if (!element) known.set(name, (element = make(item)));
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
}

// Each state has a shape of its own: colour is never the only sign.
const SHAPES = {
  running: ["M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11z", "fill"],
  restarting: ["M13 8a5 5 0 1 1-1.6-3.7M13 2v3.2h-3.2", "line"],
  restarted: ["M13 8a5 5 0 1 1-1.6-3.7M13 2v3.2h-3.2", "line"],
  failed: ["M3.5 3.5l9 9M12.5 3.5l-9 9", "line"],
  gave_up: ["M8 13V3.5M3.8 7.5L8 3l4.2 4.5", "line"],
  stopped: ["M4 4h8v8h-8z", "line"],
  stopping: ["M8 3v9M4 8.2l4 4.3l4-4.3", "line"],
  starting: ["M5 3.2l7.5 4.8l-7.5 4.8z", "line"],
  started: ["M5 3.2l7.5 4.8l-7.5 4.8z", "fill"],
  injected: ["M9 1.8L3.6 9h3.6l-.6 5.2L12.4 7H8.6z", "fill"],
  held: ["M5.5 3.5v9M10.5 3.5v9", "line"],
  ended: ["M3 8.5l3.3 3.3L13 4.8", "line"],
  lost: ["M2.5 4.5h11v7.5h-11zM2.5 5l5.5 4l5.5-4", "line"],
  missed: ["M3 8h.1M8 8h.1M13 8h.1", "line"],
  report: ["M8 7v5M8 4.2v.1", "line"],
  unknown: ["M5.7 6a2.3 2.3 0 1 1 3.2 2.2c-.6.3-.9.7-.9 1.5M8 12.2v.1", "line"],
};

/** The shape of a state or of a sort of event, for eyes only: its word stands beside it. */
export function shape(name) {
  const [path, how] = SHAPES[name] ?? SHAPES.unknown;
  return s(
    "svg",
    { class: `shape ${how} is-${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    s("path", { d: path }),
  );
}

/** Changes a shape that is there already. @param {Element} element */
export function reshape(element, name) {
  const [path, how] = SHAPES[name] ?? SHAPES.unknown;
  const words = `shape ${how} is-${name}`;
  if (element.getAttribute("class") === words) return;
  element.setAttribute("class", words);
  element.firstElementChild.setAttribute("d", path);
}
