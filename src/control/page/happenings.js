// The events in words, the newest first.

import { h, keyed, set, shape } from "./dom.js";
import { clock, short } from "./format.js";
import { firstAfter, sortOf, wordsOf } from "./log.js";

const SHOWN = 120;

/** Of the reports, those that are part of a story. */
const isNotable = ({ kind, level, incident }) => kind !== "report" || level !== "debug" || incident != null;

export class HappeningsView {
  /** @param {Element} list @param {HTMLInputElement} reports @param {{goTo: (at: number, path: string) => void}} heard */
  constructor(list, reports, heard) {
    this.list = list;
    this.reports = reports;
    this.heard = heard;
    this.seen = null;
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {import("./log.js").Log} log @param {number} at */
  update(log, at) {
    const end = firstAfter(log.events, (event) => event.at > at);
    const seen = `${log.events[end - 1]?.seq} ${this.reports.checked} ${end}`;
    if (this.seen === seen) return;
    this.seen = seen;
    const events = [];
    for (let i = end - 1; i >= 0 && events.length < SHOWN; i -= 1) {
      if (this.reports.checked || isNotable(log.events[i])) events.push(log.events[i]);
    }
    keyed(
      this.list,
      events,
      (event) => String(event.seq),
      (event) => this.#make(event),
      () => {},
    );
    // One stop for Tab; the arrows go on from there.
    const buttons = [...this.list.querySelectorAll("button")];
    const active = buttons.find((button) => button === document.activeElement) ?? buttons[0];
    for (const button of buttons) set(button, "tabindex", button === active ? 0 : -1);
  }

  #make(event) {
    const sort = sortOf(event);
    const line = h(
      "button",
      { type: "button", class: "event", onclick: () => this.heard.goTo(event.at, event.path) },
      h("time", { text: clock(event.at, true) }),
      shape(sort),
      h("span", { class: "event-path", text: short(event.path) }),
      h("span", { class: "event-words", text: wordsOf(event) }),
    );
    return h("li", { "data-sort": sort }, line);
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const here = event.target.closest("li");
    if (!step || !here) return;
    event.preventDefault();
    const next = (step > 0 ? here.nextElementSibling : here.previousElementSibling)?.querySelector("button");
    if (!next) return;
    set(event.target, "tabindex", -1);
    set(next, "tabindex", 0);
    next.focus();
  }
}
