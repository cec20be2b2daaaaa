// One part: what it is doing, and what can be done to it.

import { h, keyed, reshape, say, set, shape, show } from "./dom.js";
import { FAULTS } from "./faults.js";
import { count, plural, rate, short, strategyWords } from "./format.js";
import { meter } from "./tree.js";

export class PartView {
  /** @param {Element} panel @param {{act: (action: string, body: object, said: string) => Promise<string>, why: (path: string) => void}} heard */
  constructor(panel, heard) {
    this.heard = heard;
    this.shape = shape("unknown");
    this.title = h("span");
    this.facts = h("dl", { class: "facts-list" });
    this.meter = meter();
    this.faults = h("div", { class: "faults", role: "group", "aria-label": "Break it" });
    this.again = h("button", { type: "button", text: "Restart", onclick: () => this.#order("restart") });
    this.stop = h("button", { type: "button", text: "Stop", onclick: () => this.#order("stop") });
    this.orders = h("div", { class: "orders" }, this.again, this.stop);
    this.allowed = h(
      "div",
      { class: "action-row" },
      h("span", { class: "action-label", text: "Break it" }),
      this.faults,
    );
    this.refused = h("p", { class: "refused muted" });
    this.answer = h("p", { class: "answer", role: "status" });
    panel.append(
      h(
        "div",
        { class: "part-head" },
        h("h2", { id: "part-title", class: "part-title" }, this.shape, this.title),
        this.orders,
      ),
      this.facts,
      this.allowed,
      this.refused,
      this.answer,
    );
    keyed(
      this.faults,
      FAULTS,
      (one) => one.fault,
      (one) => this.#button(one),
      () => {},
    );
  }

  #button({ fault, name, what }) {
    return h("button", {
      type: "button",
      class: "fault",
      title: what,
      "data-fault": fault,
      text: name,
      onclick: () => this.inject(fault, name),
    });
  }

  /** Puts a fault into the part, or into all parts beneath a supervisor. */
  inject(fault, name) {
    const { part } = this;
    const isGroup = part.supervisor !== null;
    const path = isGroup ? `${part.path}/*` : part.path;
    return this.#act(
      "inject",
      { path, fault },
      `${name} was put into ${isGroup ? `the parts of ${part.name}` : short(part.path)}.`,
    );
  }

  #order(order) {
    const { path } = this.part;
    const done =
      order === "stop" ? "was stopped; it stays down until it is restarted." : "was stopped and started again.";
    return this.#act(order, { path }, `${short(path)} ${done}`);
  }

  async #act(action, body, said) {
    const { path } = this.part;
    say(this.answer, "");
    const answer = await this.heard.act(action, body, said);
    if (this.part.path === path) say(this.answer, answer);
  }

  /**
   * @param {import("./picture.js").Part} part
   * @param {number} at
   * @param {string | null} refused why nothing can be done to it now, if that is so
   */
  update(part, at, refused) {
    if (this.part?.path !== part.path) say(this.answer, "");
    this.part = part;
    reshape(this.shape, part.status);
    say(this.title, short(part.path));
    set(this.title, "title", part.path);
    show(this.allowed, refused === null);
    show(this.refused, refused !== null);
    say(this.refused, refused ?? "");
    show(this.orders, refused === null && part.depth > 0);
    say(this.again, part.status === "stopped" || part.status === "failed" ? "Start" : "Restart");
    show(this.stop, part.status !== "stopped");
    if (part.supervisor) this.meter.update(part.supervisor, at);
    keyed(
      this.facts,
      facts(part),
      (fact) => fact.name,
      makeFact,
      (element, fact) => this.#fact(element, fact),
    );
  }

  #fact(element, { text, more, isMeter }) {
    const [, value] = element.children;
    const [first, second] = value.children;
    say(first, text);
    show(second, Boolean(more));
    say(second, more ?? "");
    if (isMeter && this.meter.element.parentElement !== value) value.append(this.meter.element);
  }
}

function makeFact({ name }) {
  return h("div", {}, h("dt", { text: name }), h("dd", {}, h("span"), h("span", { class: "muted more" })));
}

/** @returns {{name: string, text: string, more?: string, isMeter?: boolean}[]} */
function facts(part) {
  const facts = [
    { name: "State", text: part.word, more: part.incarnation > 0 ? `in its life number ${part.incarnation}` : "" },
  ];
  const { supervisor, messages, lastExit } = part;
  if (supervisor) {
    const [name, meaning] = strategyWords(supervisor.strategy);
    facts.push({ name: "Strategy", text: name, more: meaning });
    const { used, intensity, period } = supervisor;
    const rest = intensity - used;
    const more = rest > 0 ? `${plural(rest, "more failure")} before it gives up` : "the next failure is one too many";
    facts.push({ name: "Restarts", text: `${used} of ${intensity} in ${period} s`, more, isMeter: true });
  } else {
    facts.push({ name: "Actor", text: part.kind || "not known" });
  }
  if (messages && !supervisor) {
    const lost = [
      messages.lost && `${count(messages.lost)} lost`,
      messages.dropped && `${count(messages.dropped)} dropped`,
    ].filter(Boolean);
    const now = [messages.in_hand && "one in hand", messages.queued && `${count(messages.queued)} waiting`].filter(
      Boolean,
    );
    facts.push({
      name: "Messages",
      text: `${count(messages.handled)} handled${part.rate === null ? "" : `, ${rate(part.rate)}`}`,
      more: [...now, ...lost].join(", "),
    });
  }
  if (lastExit) facts.push({ name: "Last end", text: lastExit.text });
  return facts;
}
