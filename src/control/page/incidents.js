// Failures as stories: what failed, what was decided about it and with which numbers, and what came of it.

import { h, keyed, reshape, say, set, shape, show } from "./dom.js";
import { ago, arithmetic, clock, ended, parentOf, plural, short, span } from "./format.js";

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
    say(this.number, incidents.length === 0 ? "" : plural(incidents.length, "failure"));
    const first = incidents.find((incident) => incident.path === selected) ?? incidents[0];
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
    card?.querySelector("button").focus();
    card?.scrollIntoView({ block: "nearest" });
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
    reshape(it.shape, incident.decision.kind === "give_up" ? "gave_up" : "failed");
    say(it.title, `${short(incident.path)} ${ended(incident.reason)}`);
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
    const step = ({ sort, text, more, bar, link }) =>
      h(
        "li",
        {},
        shape(sort),
        h(
          "div",
          {},
          h("p", { text }),
          more && h("p", { class: "muted", text: more }),
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

/** @returns {[string, string]} what came of it, and of which sort that is */
function outcome({ decision, down, again }) {
  if (decision.kind === "give_up") return ["supervisor gave up", "gave_up"];
  if (down !== null) return [`up after ${span(down)}`, "restarted"];
  if (again !== null) return ["failed again", "failed"];
  switch (decision.kind) {
    case "restart":
      return ["not up yet", "restarting"];
    case "out_of_threads":
    case "roll_back":
      return ["supervisor failed", "gave_up"];
    default:
      return ["stays down", "stopped"];
  }
}

/**
 * The story, step by step.
 * @param {object} incident @param {object[]} all those that are known
 * @returns {{sort: string, text: string, more?: string, bar?: object, link?: {id: number, text: string}}[]}
 */
export function stepsOf(incident, all) {
  const { path, incarnation, reason, lived, injected, lost, kept, message, decision, stopped, down, answered, again } =
    incident;
  const boss = short(parentOf(path)) || "nobody";
  const steps = [];
  if (injected !== null) steps.push({ sort: "injected", text: `A fault was put in on purpose: ${injected}` });
  steps.push({
    sort: "failed",
    text: `${short(path)} ${reason.text}`,
    more: `Its life number ${incarnation} had run for ${span(lived)}.`,
  });
  if (lost > 0 || kept > 0) {
    const gone =
      lost > 0 ? `${plural(lost, "message")} in hand lost${message ? `, a ${message}` : ""}` : "no message lost";
    steps.push({ sort: "lost", text: `${gone}; ${kept > 0 ? `${kept} waiting kept` : "none was waiting"}` });
  }
  steps.push(decided(decision, path, boss, all, incident));
  if (stopped.length > 0) {
    const names = stopped.map((one) => `${short(one.path)} (${span(one.took)})`).join(", ");
    steps.push({ sort: "stopped", text: `Stopped with it: ${names}` });
  }
  if (down !== null) {
    const more = answered === null ? "" : `Its first message was handled after ${span(answered)}.`;
    steps.push({
      sort: "restarted",
      text: `Up again as life number ${incarnation + 1}, ${span(down)} after it failed`,
      more,
    });
  } else if (again !== null) {
    steps.push({
      sort: "failed",
      text: "It failed again before it was up",
      link: { id: again, text: "Show that failure" },
    });
  } else if (decision.kind === "restart") {
    steps.push({ sort: "restarting", text: "Not up again yet" });
  }
  return steps;
}

function decided(decision, path, boss, all, incident) {
  const { budget } = decision;
  switch (decision.kind) {
    case "restart": {
      const wait = decision.delay > 0 ? `Wait ${span(decision.delay)} = ${arithmetic(decision.wait)}. ` : "At once. ";
      const frees = `This restart is forgotten ${span(budget.period)} later.`;
      return {
        sort: "restarting",
        text: `${boss} restarts it: ${budget.used} of ${plural(budget.intensity, "restart")} in ${span(budget.period)}`,
        more: wait + (budget.used > 1 ? `The oldest of these is forgotten in ${span(budget.frees_in)}.` : frees),
        bar: budget,
      };
    }
    case "give_up": {
      const next = all.find(
        (other) => other.path === parentOf(path) && other.id > incident.id && other.at - incident.at < 60,
      );
      return {
        sort: "gave_up",
        text: `${boss} gives up: it would be restart ${budget.used} of ${budget.intensity} in ${span(budget.period)}`,
        more: `It stops its children and fails in its turn; whoever is above ${boss} decides.`,
        bar: budget,
        link: next && { id: next.id, text: `What became of ${boss}` },
      };
    }
    case "roll_back":
      return {
        sort: "gave_up",
        text: `No restart at a first start: what was started before is stopped, and ${boss} fails`,
      };
    case "out_of_threads":
      return { sort: "gave_up", text: `No restart: too many threads were left behind, and ${boss} fails` };
    default:
      return path.includes("/")
        ? { sort: "stopped", text: "It stays down: that is its restart rule, or its supervisor is stopping" }
        : { sort: "stopped", text: "Nobody is above it, so the tree ends" };
  }
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
