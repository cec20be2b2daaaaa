// One part: what it is doing, and what can be done to it.

import { h, keyed, reshape, say, set, shape, show } from "./dom.js";
import { Breaking } from "./breaking.js";
import { count, plural, rate, short, strategyWords } from "./format.js";
import { meter } from "./tree.js";

/** What is said when an order was carried out. */
const DONE = {
  restart: "was stopped and started again.",
  stop: "was stopped; it stays down until it is restarted.",
  pause: "takes no message until it is resumed.",
  resume: "takes messages again.",
  drain: "has handled what was queued, and stopped.",
};

const LAST = "Nobody is above it, so what ends it ends all of it. Choose another part to break, restart or stop.";

export class PartView {
  /** @param {Element} panel @param {{act: (action: string, body: object, said: string) => Promise<string>, why: (path: string) => void}} heard */
  constructor(panel, heard) {
    this.heard = heard;
    this.shape = shape("unknown");
    this.title = h("span");
    this.facts = h("dl", { class: "facts-list" });
    this.meter = meter();
    this.breaking = new Breaking((fault, name) => this.inject(fault, name));
    this.again = h("button", { type: "button", text: "Restart", onclick: () => this.#order("restart") });
    this.stop = h("button", { type: "button", text: "Stop", onclick: () => this.#order("stop") });
    this.pause = h("button", {
      type: "button",
      onclick: () => this.#order(this.part.paused || this.part.draining ? "resume" : "pause"),
    });
    this.drain = h("button", { type: "button", text: "Drain", onclick: () => this.#order("drain") });
    this.orders = h("div", { class: "orders" }, this.pause, this.drain, this.again, this.stop);
    this.allowed = h(
      "div",
      { class: "action-row" },
      h("span", { class: "action-label", text: "Break it" }),
      this.breaking.element,
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
  }

  /** Puts a fault into the part. */
  inject(fault, name) {
    const { path } = this.part;
    return this.#act("inject", { path, fault }, `${name} was put into ${short(path)}.`);
  }

  #order(order) {
    const { path } = this.part;
    return this.#act(order, { path }, `${short(path)} ${DONE[order]}`);
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
   * @param {import("./faults.js").Fault[]} faults what can be put into it
   */
  update(part, at, refused, faults) {
    if (this.part?.path !== part.path) say(this.answer, "");
    this.part = part;
    reshape(this.shape, part.status);
    say(this.title, short(part.path));
    set(this.title, "title", part.path);
    const cannot = refused ?? (part.depth > 0 ? null : LAST);
    show(this.allowed, cannot === null);
    show(this.refused, cannot !== null);
    say(this.refused, cannot ?? "");
    show(this.orders, cannot === null);
    say(this.again, part.status === "stopped" || part.status === "failed" ? "Start" : "Restart");
    show(this.stop, part.status !== "stopped");
    // A door of an earlier version knows nothing of it, and a supervisor's messages are the news of its children.
    const canPause = part.paused !== null && !part.supervisor;
    show(this.pause, canPause && part.status !== "stopped");
    show(this.drain, canPause && part.status === "running" && !part.draining);
    say(this.pause, part.paused || part.draining ? "Resume" : "Pause");
    this.breaking.update(faults, part.own);
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
  const held = part.draining ? ", being drained" : part.paused ? ", paused" : "";
  const facts = [
    {
      name: "State",
      text: part.word + held,
      more: part.incarnation > 0 ? `in its life number ${part.incarnation}` : "",
    },
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
  if (part.armed.length > 0) facts.push({ name: "Put in", text: part.armed.join(", "), more: "and not over" });
  if (lastExit) facts.push({ name: "Last end", text: lastExit.text });
  return facts;
}
