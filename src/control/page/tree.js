// The supervision tree as a list of rows, as the ARIA tree pattern has it.

import { h, keyed, reshape, s, say, set, shape, show } from "./dom.js";
import { count, ended, left, parentOf, plural, rate, strategyWords } from "./format.js";
import { rowsOf } from "./rows.js";

const CHEVRON = "M6 4l4 4l-4 4";

export class TreeView {
  /** @param {Element} list @param {{select: (path: string) => void, breakIt: (path: string) => void}} heard */
  constructor(list, heard) {
    this.list = list;
    this.heard = heard;
    /** What the user has opened (true) and closed (false), by path. @type {Map<string, boolean>} */
    this.opened = new Map();
    this.rows = [];
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("focusin", ({ target }) => {
      if (target.dataset.path) this.#activate(target.dataset.path);
    });
  }

  /** @param {object} picture @param {string} selected */
  update(picture, selected) {
    this.picture = picture;
    this.selected = selected;
    this.rows = rowsOf(picture.parts, this.opened, selected);
    const active = this.rows.some((row) => row.path === this.active) ? this.active : this.#shown(selected);
    this.active = active;
    const hot = this.#hot(picture);
    keyed(
      this.list,
      this.rows,
      (row) => row.path,
      (row) => (row.part ? makeRow(row) : makeRest(row)),
      (element, row) => {
        set(element, "aria-level", row.level);
        set(element, "aria-posinset", row.position);
        set(element, "aria-setsize", row.size);
        set(element, "tabindex", row.path === active ? 0 : -1);
        if (row.part) updateRow(element, row, picture.at, row.path === selected, hot.get(row.path));
        else updateRest(element, row);
      },
    );
  }

  /** The row of a part, or of the nearest above it that is shown. */
  #shown(path) {
    while (path && !this.rows.some((row) => row.path === path)) path = parentOf(path);
    return path || this.rows[0]?.path;
  }

  /** Which guides a give-up climbs: by row, the depth of the supervisor. */
  #hot({ escalations }) {
    const hot = new Map();
    for (const { supervisor, child } of escalations) {
      const from = this.rows.findIndex((row) => row.path === supervisor);
      let to = this.rows.findIndex((row) => row.path === child);
      if (to < 0) to = this.rows.findLastIndex((row) => row.path.startsWith(`${supervisor}/`));
      for (let i = from + 1; from >= 0 && i <= to; i += 1) hot.set(this.rows[i].path, this.rows[from].level - 1);
    }
    return hot;
  }

  /** The row that Tab leads to. */
  #activate(path) {
    this.active = path;
    for (const element of this.list.children) set(element, "tabindex", element.dataset.path === path ? 0 : -1);
  }

  focus(path) {
    this.#activate(path);
    const element = [...this.list.children].find((one) => one.dataset.path === path);
    element?.focus();
    element?.scrollIntoView({ block: "nearest" });
  }

  #click(event) {
    const element = event.target.closest("[role=treeitem]");
    if (!element) return;
    const row = this.rows.find((one) => one.path === element.dataset.path);
    if (row.rest || event.target.closest(".twisty")) this.#toggle(row);
    else this.heard.select(row.path);
    this.focus(row.path);
  }

  #toggle(row) {
    this.opened.set(row.path, row.rest ? row.rest.folded > 0 : !row.opened);
    this.update(this.picture, this.selected);
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const place = this.rows.findIndex((row) => row.path === this.active);
    const row = this.rows[place];
    if (!row) return;
    const go = (to) => {
      const target = this.rows[to];
      if (!target) return;
      if (target.part) this.heard.select(target.path);
      this.focus(target.path);
    };
    const keys = {
      ArrowDown: () => go(place + 1),
      ArrowUp: () => go(place - 1),
      Home: () => go(0),
      End: () => go(this.rows.length - 1),
      ArrowRight: () => {
        if (row.rest ? row.rest.folded : row.opened === false) this.#toggle(row);
        else if (row.opened) go(place + 1);
      },
      ArrowLeft: () => {
        if (row.opened || (row.rest && !row.rest.folded)) this.#toggle(row);
        else go(this.rows.findIndex((other) => other.path === parentOf(row.path)));
      },
      Enter: () => (row.rest ? this.#toggle(row) : this.heard.select(row.path)),
      " ": () => keys.Enter(),
      b: () => row.part && this.heard.breakIt(row.path),
      B: () => keys.b(),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    if (!this.list.contains(document.activeElement)) this.focus(this.active);
  }
}

function guides(depth) {
  return h(
    "span",
    { class: "guides", "aria-hidden": "true" },
    ...Array.from({ length: depth }, () => h("span", { class: "guide" })),
  );
}

function makeRow({ path, part }) {
  const chevron = s("svg", { viewBox: "0 0 16 16" }, s("path", { d: CHEVRON }));
  const it = {
    shape: shape(part.status),
    guides: guides(part.depth),
    twisty: h("span", { class: "twisty", "aria-hidden": "true" }, chevron),
    word: h("span", { class: "word" }),
    chip: h("span", { class: "chip", hidden: true }),
    life: h("span", { class: "life" }),
    facts: h("span", { class: "facts" }),
    budget: part.supervisor ? meter() : null,
    kind: h("span", { class: "kind" }),
  };
  const label = h(
    "span",
    { class: "label" },
    h("span", { class: "name", text: part.name }),
    " ",
    it.kind,
    " ",
    it.word,
    " ",
    it.chip,
  );
  const right = h("span", { class: "numbers" }, it.facts, it.budget?.element, " ", it.life);
  const row = h(
    "li",
    { role: "treeitem", class: "row", "data-path": path },
    it.guides,
    it.twisty,
    it.shape,
    label,
    right,
  );
  row.it = it;
  return row;
}

function updateRow(row, { part, opened, path }, at, isSelected, hot) {
  const { it } = row;
  set(row, "aria-selected", isSelected ? "true" : "false");
  set(row, "aria-expanded", opened === null ? null : String(opened));
  set(row, "data-status", part.status);
  set(row, "data-path", path);
  set(it.twisty, "class", opened === null ? "twisty none" : "twisty");
  reshape(it.shape, part.status);
  [...it.guides.children].forEach((guide, depth) => set(guide, "class", depth === hot ? "guide hot" : "guide"));
  say(it.kind, part.supervisor ? strategyWords(part.supervisor.strategy)[0] : part.kind);
  say(it.word, part.word);
  set(it.word, "class", part.status === "running" ? "word unseen" : "word");
  const [text, sort] = chip(part, at);
  show(it.chip, text !== null);
  say(it.chip, text ?? "");
  set(it.chip, "data-sort", sort);
  say(it.life, part.incarnation > 0 ? `#${part.incarnation}` : "");
  set(it.life, "title", part.incarnation > 0 ? `its life number ${part.incarnation}` : null);
  set(it.life, "class", part.incarnation > 1 ? "life again" : "life");
  if (it.budget) it.budget.update(part.supervisor, at);
  else say(it.facts, facts(part));
}

function facts({ messages, rate: handled }) {
  if (!messages) return "";
  const waiting = messages.queued > 0 ? `${count(messages.queued)} waiting` : "";
  return [waiting, handled === null ? "" : rate(handled)].filter(Boolean).join(" · ");
}

/** What has just happened to it, or is about to. @returns {[string | null, string]} */
function chip(part, at) {
  if (part.due !== null) {
    const wait = part.due - at;
    return [wait > 0.05 ? `in ${left(wait)}` : "now", "restarting"];
  }
  if (part.draining) return ["draining", "restarting"];
  if (part.paused) return ["paused", "restarting"];
  if (!part.mark) return part.armed.length > 0 ? [`${part.armed[0]} waits`, "injected"] : [null, "none"];
  const { sort, event, cause } = part.mark;
  switch (sort) {
    case "failed":
      return [ended(event.reason), "failed"];
    case "gave_up":
      return ["gave up", "gave_up"];
    case "restarted":
      if (cause?.kind === "gave_up" || cause?.reason.kind === "gave_up") return ["gave up, restarted", "gave_up"];
      return [cause ? `${ended(cause.reason)}, restarted` : "restarted", "restarted"];
    case "injected":
      return [`${event.fault} put in`, "injected"];
    default:
      return [null, "none"];
  }
}

/** How much of a supervisor's restarts is used, and when the oldest is forgotten. */
export function meter() {
  const bar = h("span", { class: "meter", role: "img" });
  const text = h("span", { class: "meter-text" });
  const element = h("span", { class: "budget" }, text, bar);
  let cells = -1;
  return {
    element,
    update({ used, intensity, period, freesAt }, at) {
      const wanted = intensity <= 20 ? intensity : 20;
      if (wanted !== cells) {
        bar.replaceChildren(...Array.from({ length: wanted }, () => h("i")));
        cells = wanted;
      }
      const full = intensity > 0 ? Math.ceil((used / intensity) * wanted) : 0;
      [...bar.children].forEach((cell, i) => set(cell, "class", i < full ? "used" : null));
      set(bar, "class", used >= intensity ? "meter full" : "meter");
      set(bar, "aria-label", `${used} of ${plural(intensity, "restart")} in ${period} s used`);
      const frees = freesAt !== null && freesAt > at ? `one is free in ${left(freesAt - at)}` : "";
      say(text, frees);
      set(element, "title", `${used} of ${plural(intensity, "restart")} in ${period} s used`);
    },
  };
}

function makeRest({ path, level }) {
  const it = { words: h("span", { class: "name" }), dots: h("canvas", { class: "dots", "aria-hidden": "true" }) };
  const chevron = s("svg", { viewBox: "0 0 16 16" }, s("path", { d: CHEVRON }));
  const twisty = h("span", { class: "twisty", "aria-hidden": "true" }, chevron);
  const row = h(
    "li",
    { role: "treeitem", class: "row rest", "data-path": path },
    guides(level - 1),
    twisty,
    h("span", { class: "label" }, it.words, it.dots),
  );
  row.it = it;
  return row;
}

function updateRest(row, { rest }) {
  const { it } = row;
  set(row, "aria-selected", "false");
  set(row, "aria-expanded", String(rest.folded === 0));
  show(it.dots, rest.folded > 0);
  if (rest.folded === 0) {
    say(it.words, `show fewer of these ${count(rest.of)}`);
    return;
  }
  const words = ["running", "restarting", "failed", "starting", "stopping", "stopped", "unknown"].filter(
    (word) => rest[word],
  );
  const states =
    words.length === 1 ? `all ${words[0]}` : words.map((word) => `${count(rest[word])} ${word}`).join(", ");
  say(it.words, `${count(rest.folded)} more, ${states}`);
  draw(it.dots, rest.states);
}

/** A dot for each: many parts at one glance. Those in trouble are larger. */
function draw(canvas, states) {
  const style = getComputedStyle(canvas);
  const [width, step] = [canvas.parentElement.clientWidth - 4, 9];
  const across = Math.max(8, Math.floor(width / step));
  const height = Math.ceil(states.length / across) * step;
  const seen = `${across} ${style.color} ${states.join()}`;
  if (canvas.seen === seen || width <= 0) return;
  canvas.seen = seen;
  const scale = window.devicePixelRatio || 1;
  Object.assign(canvas, { width: across * step * scale, height: height * scale });
  Object.assign(canvas.style, { width: `${across * step}px`, height: `${height}px` });
  const ink = canvas.getContext("2d");
  ink.scale(scale, scale);
  states.forEach((state, i) => {
    const [x, y] = [(i % across) * step + step / 2, Math.floor(i / across) * step + step / 2];
    ink.fillStyle = style.getPropertyValue(`--${state}`) || style.color;
    if (state === "running") {
      ink.beginPath();
      ink.arc(x, y, 2.3, 0, 7);
      ink.fill();
    } else ink.fillRect(x - 3.5, y - 3.5, 7, 7);
  });
}
