// Time as a line: what happened when, and a handle that goes back to it.

import { h, s, say, set, show } from "./dom.js";
import { clock, span } from "./format.js";
import { firstAfter, sortOf } from "./log.js";

const [WIDTH, HEIGHT] = [1000, 40];

/** Where and how tall the marks of each sort stand. */
const MARKS = { restarted: [26, 36], stopped: [26, 36], injected: [15, 25], failed: [4, 25], gave_up: [0, 40] };
/** These are worth a stop. */
const STOPS = new Set(["failed", "gave_up"]);

const RANGES = [
  ["60", "1 minute"],
  ["120", "2 minutes"],
  ["600", "10 minutes"],
  ["all", "everything"],
];

const ICONS = {
  back: "M12.5 3.5L6.5 8l6 4.5zM4 3.5v9",
  play: "M5 3.2l7.5 4.8l-7.5 4.8z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  next: "M3.5 3.5L9.5 8l-6 4.5zM12 3.5v9",
};

export class Timeline {
  /** @param {Element} place @param {{goTo: (at: number | null) => void, play: () => void, range: () => void}} heard */
  constructor(place, heard) {
    this.place = place;
    this.heard = heard;
    this.window = { from: 0, to: 1 };
    this.slider = h("input", {
      type: "range",
      id: "slider",
      "aria-label": "The moment that is shown",
      step: "any",
      oninput: () => this.#slid(),
    });
    this.slider.addEventListener("keydown", (event) => this.#key(event));
    const icon = (name) =>
      s("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));
    this.playIcon = icon("play");
    this.back = h(
      "button",
      { type: "button", class: "icon-button", "aria-label": "To the failure before", onclick: () => this.#jump(-1) },
      icon("back"),
    );
    this.play = h(
      "button",
      { type: "button", class: "icon-button", "aria-label": "Play", onclick: () => heard.play() },
      this.playIcon,
    );
    this.next = h(
      "button",
      { type: "button", class: "icon-button", "aria-label": "To the next failure", onclick: () => this.#jump(1) },
      icon("next"),
    );
    this.now = h("button", {
      type: "button",
      id: "now",
      class: "now",
      text: "Back to now",
      onclick: () => heard.goTo(null),
    });
    this.moment = h("p", { class: "moment" });
    this.range = h(
      "select",
      { id: "range", "aria-label": "How much time is shown", onchange: () => heard.range() },
      ...RANGES.map(([value, text]) => h("option", { value, text })),
    );
    this.range.value = "60";
    this.marks = Object.fromEntries(Object.keys(MARKS).map((sort) => [sort, s("path", { class: `mark is-${sort}` })]));
    const strip = s(
      "svg",
      { class: "strip", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      ...Object.values(this.marks),
    );
    this.begin = h("span");
    this.end = h("span");
    place.append(
      h("div", { class: "controls" }, this.back, this.play, this.next, this.moment, this.now, this.range),
      h("div", { class: "track" }, strip, this.slider),
      h("p", { class: "axis muted", "aria-hidden": "true" }, this.begin, this.end),
    );
  }

  /** How many seconds are shown; null for all. */
  get seconds() {
    return this.range.value === "all" ? null : Number(this.range.value);
  }

  /**
   * @param {import("./log.js").Log} log
   * @param {{from: number, to: number, at: number, isNow: boolean, isLive: boolean, plays: boolean}} time
   */
  update(log, { from, to, at, isNow, isLive, plays }) {
    show(this.place, true);
    this.log = log;
    this.at = at;
    this.window = { from, to };
    set(this.slider, "min", from.toFixed(2));
    set(this.slider, "max", to.toFixed(2));
    if (Math.abs(this.slider.valueAsNumber - at) > 0.005) this.slider.value = String(at);
    const ago = isNow
      ? isLive
        ? "now"
        : "at the end"
      : isLive
        ? `${span(to - at)} before ${clock(to)}`
        : `${span(at - from)} after the beginning`;
    set(this.slider, "aria-valuetext", `${clock(at)}, ${ago}`);
    say(this.moment, isNow && isLive ? "now" : clock(at, true));
    set(this.moment, "data-past", !isNow);
    show(this.now, !isNow);
    say(this.now, isLive ? "Back to now" : "To the end");
    set(this.playIcon.firstElementChild, "d", plays ? ICONS.pause : ICONS.play);
    set(this.play, "aria-label", plays ? "Pause" : "Play");
    this.play.disabled = isNow && isLive;
    say(this.begin, clock(from));
    say(this.end, clock(to));
    this.#draw();
  }

  #draw() {
    const { from, to } = this.window;
    const paths = Object.fromEntries(Object.keys(MARKS).map((sort) => [sort, []]));
    const { events } = this.log;
    for (let i = firstAfter(events, (event) => event.at >= from); i < events.length && events[i].at <= to; i += 1) {
      const place = MARKS[sortOf(events[i])];
      if (!place) continue;
      paths[sortOf(events[i])].push(
        `M${(((events[i].at - from) / (to - from)) * WIDTH).toFixed(1)} ${place[0]}V${place[1]}`,
      );
    }
    for (const [sort, path] of Object.entries(this.marks)) set(path, "d", [...new Set(paths[sort])].join(""));
  }

  #slid() {
    const at = this.slider.valueAsNumber;
    const { from, to } = this.window;
    // Its right end is not a moment, but now.
    this.heard.goTo(to - at < (to - from) / 400 ? null : at);
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = this.at + step * (event.shiftKey ? 0.1 : 1);
    this.heard.goTo(at >= this.window.to ? null : Math.max(this.window.from, at));
  }

  #jump(direction) {
    const stops = this.log.events.filter((event) => STOPS.has(sortOf(event))).map((event) => event.at);
    const at =
      direction < 0 ? stops.findLast((stop) => stop < this.at - 0.002) : stops.find((stop) => stop > this.at + 0.002);
    if (at !== undefined) this.heard.goTo(at);
    else if (direction > 0) this.heard.goTo(null);
  }
}
