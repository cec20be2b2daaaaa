// Failures as stories: what failed, what was decided about it and with which numbers, and what came of it.

import { h, keyed, reshape, say, set, shape, show } from "./dom.js";
import { ago, clock, plural } from "./format.js";
import { befell, outcome, stepsOf, title } from "./story.js";

const SHOWN = 30;

export class IncidentsView {
  /** @param {Element} list @param {Element} number @param {{select: (path: string) => void, goTo: (at: number) => void}} heard */
  constructor(list, number, heard) {
    this.list = list;
    this.number = number;
    this.heard = heard;
    /** What the user has opened and closed. @type {Map<number, boolean>} */
    this.opened = new Map();
    this.invitation = h("span", { text: " Break something, and its story is told here." });
    this.nothing = h("p", { class: "nothing muted" }, "Nothing has failed.", this.invitation);
    this.cards = h("div", { class: "stories" });
    list.append(this.nothing, this.cards);
  }

  /** @param {object[]} incidents the newest first @param {number} at @param {string} selected @param {boolean} mayBreak */
  update(incidents, at, selected, mayBreak) {
    this.incidents = incidents;
    this.args = [incidents, at, selected, mayBreak];
    show(this.nothing, incidents.length === 0);
    show(this.invitation, mayBreak);
    const failures = incidents.filter((incident) => incident.reason !== null).length;
    const faults = incidents.length - failures;
    const counts = [plural(failures, "failure"), faults > 0 && `${plural(faults, "fault")} beside`];
    say(this.number, incidents.length === 0 ? "" : counts.filter(Boolean).join(", "));
    const first = incidents.find((incident) => befell(incident, selected)) ?? incidents[0];
    keyed(
      this.cards,
      incidents.slice(0, SHOWN),
      (incident) => String(incident.id),
      (incident) => this.#make(incident),
      (card, incident) => this.#update(card, incident, at, this.opened.get(incident.id) ?? incident === first),
    );
  }

  /** Opens one, and shows it. @param {number} id */
  open(id) {
    this.opened.set(id, true);
    this.update(...this.args);
    const card = this.cards.querySelector(`[data-id="${id}"]`);
    card?.querySelector("button").focus({ preventScroll: true });
    card?.scrollIntoView({ block: "nearest" });
  }

  openLast() {
    if (this.incidents.length > 0) this.open(this.incidents[0].id);
  }

  #make(incident) {
    const it = {
      shape: shape("failed"),
      title: h("span", { class: "story-title" }),
      when: h("span", { class: "muted when" }),
      end: h("span", { class: "chip" }),
      body: h("div", { class: "story-body", id: `story-${incident.id}` }),
    };
    it.head = h(
      "button",
      { type: "button", class: "story-head", "aria-controls": `story-${incident.id}` },
      it.shape,
      it.title,
      it.end,
      it.when,
    );
    it.head.addEventListener("click", () => {
      this.opened.set(incident.id, it.head.getAttribute("aria-expanded") !== "true");
      this.heard.select(incident.path);
      this.update(...this.args);
    });
    const card = h("article", { class: "story", "data-id": incident.id }, h("h3", {}, it.head), it.body);
    card.it = it;
    return card;
  }

  #update(card, incident, at, isOpen) {
    const { it } = card;
    set(it.head, "aria-expanded", String(isOpen));
    show(it.body, isOpen);
    reshape(it.shape, sortOf(incident));
    say(it.title, title(incident));
    say(it.when, ago(at - incident.at));
    const [word, sort] = outcome(incident);
    say(it.end, word);
    set(it.end, "data-sort", sort);
    const seen = isOpen ? JSON.stringify(incident) : null;
    if (seen && card.seen !== seen) {
      card.seen = seen;
      it.body.replaceChildren(...this.#body(incident));
    }
  }

  #body(incident) {
    const step = ({ sort, text, more, lines = [], bar, link }) =>
      h(
        "li",
        {},
        shape(sort),
        h(
          "div",
          {},
          h("p", { text }),
          more && h("p", { class: "muted", text: more }),
          ...lines.map((line) => h("p", { class: "muted", text: line })),
          bar && budget(bar),
          link && this.#link(link),
        ),
      );
    return [
      h("ol", { class: "steps" }, ...stepsOf(incident, this.incidents).map(step)),
      h(
        "div",
        { class: "story-foot" },
        h("button", {
          type: "button",
          class: "quiet",
          text: `Go to ${clock(incident.at)}`,
          onclick: () => this.heard.goTo(incident.at),
        }),
        h(
          "details",
          {},
          h("summary", { text: "In the program's words" }),
          h("pre", { text: incident.story, tabindex: "0" }),
        ),
      ),
    ];
  }

  #link({ id, text }) {
    return h("button", { type: "button", class: "quiet", text, onclick: () => this.open(id) });
  }
}

function sortOf({ reason, decision }) {
  if (reason === null) return "injected";
  return decision.kind === "give_up" ? "gave_up" : "failed";
}

function budget({ used, intensity }) {
  const cells = Math.min(intensity, 40);
  const full = Math.ceil((Math.min(used, intensity) / Math.max(1, intensity)) * cells);
  const bar = h("span", {
    class: used >= intensity ? "meter full" : "meter",
    role: "img",
    "aria-label": `${used} of ${intensity} used`,
  });
  bar.append(...Array.from({ length: cells }, (_, i) => h("i", { class: i < full ? "used" : null })));
  return bar;
}
