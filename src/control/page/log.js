// What was seen of a program: the entries of a recording, whether they come from a file or from a door, bounded.

import { nameOf } from "./format.js";

/** How much is kept: events, and children over all trees together. A child that has not changed is kept once. */
const LIMITS = { events: 20_000, children: 400_000, incidents: 512, extras: 4_000 };

export class Log {
  constructor(limits = {}) {
    this.limits = { ...LIMITS, ...limits };
    /** @type {object | null} who it was */
    this.instance = null;
    this.#begin();
  }

  /** Begins anew: what was before is of another run. */
  #begin() {
    /** @type {object[]} trees, the oldest first */
    this.trees = [];
    /** @type {object[]} events, by their numbers */
    this.events = [];
    /** @type {Map<number, object>} what is known last of each failure */
    this.incidents = new Map();
    /** @type {Map<string, {at: number, value: any}[]>} */
    this.extras = new Map();
    this.children = 0;
    this.held = null;
  }

  /** @param {object} entry one line of a recording */
  add(entry) {
    if (entry.instance) this.#instance(entry.instance);
    else if (entry.tree) this.#tree(entry.tree);
    else if (entry.event) this.#event(entry.event);
    else if (entry.incident) this.#incident(entry.incident);
    else if (entry.extra) this.#extra(entry.extra);
    // Anything else is of a later version.
  }

  /** The number of the last event. */
  get seq() {
    return this.held?.seq ?? this.events.at(-1)?.seq ?? 0;
  }

  /** When the first thing happened, and the last; null if nothing has. */
  get bounds() {
    const starts = [this.trees[0]?.at, this.events[0]?.at].filter((at) => at !== undefined);
    const ends = [this.trees.at(-1)?.at, this.events.at(-1)?.at].filter((at) => at !== undefined);
    return starts.length ? { from: Math.min(...starts), to: Math.max(...ends) } : null;
  }

  #instance(instance) {
    const known = this.instance;
    if (known && (known.pid !== instance.pid || known.since !== instance.since)) this.#begin();
    this.instance = instance;
  }

  #tree(tree) {
    const last = this.trees.at(-1);
    if (last && tree.at < last.at) return;
    if (last) {
      const before = new Map(last.children.map((child) => [child.path, child]));
      tree.children = tree.children.map((child) => {
        const known = before.get(child.path);
        return known && same(known, child) ? known : child;
      });
    }
    this.trees.push(tree);
    this.children += tree.children.length;
    while (this.children > this.limits.children && this.trees.length > 2) {
      this.children -= this.trees.shift().children.length;
    }
  }

  #event(event) {
    if (event.seq <= this.seq) return; // told twice
    // A gap is told when it is read. It was where the next event is.
    if (event.kind === "missed") {
      this.held = event;
      return;
    }
    if (this.held) {
      this.events.push({ ...this.held, at: event.at });
      this.held = null;
    }
    // Threads that speak at the same time may be off by a little; in the log time only goes on.
    const last = this.events.at(-1);
    this.events.push(last && event.at < last.at ? { ...event, at: last.at } : event);
    if (event.kind === "gave_up") this.#gaveUp(event);
    if (this.events.length > this.limits.events * 1.1) this.events.splice(0, this.events.length - this.limits.events);
  }

  /** A program that gives up ends, and may be gone before anybody could ask it for the story: this is what the events say. */
  #gaveUp({ child, budget, text }) {
    const of = (kind) => this.events.findLast((event) => event.kind === kind && event.path === child);
    const failed = of("exited");
    const id = failed?.incident ?? failed?.seq;
    if (!failed || this.incidents.get(id)?.reason) return;
    const { at, path, incarnation, reason, lived, lost, message, kept } = failed;
    const injected = of("injected");
    this.#incident({
      ...{ id, at, path, incarnation, reason, lived, lost, message, kept },
      injected: injected?.incarnation === incarnation ? injected.fault : null,
      decision: { kind: "give_up", budget },
      ...{ stopped: [], down: null, answered: null, again: null },
      story: `${failed.text}\n${text}`,
    });
  }

  #incident(incident) {
    this.incidents.set(incident.id, incident);
    if (this.incidents.size > this.limits.incidents) this.incidents.delete(this.incidents.keys().next().value);
  }

  #extra({ name, at, value }) {
    const all = this.extras.get(name) ?? [];
    all.push({ at, value });
    if (all.length > this.limits.extras * 1.1) all.splice(0, all.length - this.limits.extras);
    this.extras.set(name, all);
  }
}

function same(one, other) {
  return (
    one.state === other.state &&
    one.incarnation === other.incarnation &&
    one.messages.handled === other.messages.handled &&
    one.messages.queued === other.messages.queued &&
    one.messages.in_hand === other.messages.in_hand &&
    JSON.stringify(one) === JSON.stringify(other)
  );
}

/** The place of the first item in `items` for which `isAfter` holds; they must be in order. */
export function firstAfter(items, isAfter) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAfter(items[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * What sort of thing an event is, for its shape, its colour and its place.
 * @returns {"failed" | "gave_up" | "restarting" | "restarted" | "started" | "stopped" | "ended" | "injected" | "lost" | "held" | "missed" | "report"}
 */
export function sortOf(event) {
  switch (event.kind) {
    case "exited":
      return event.level === "info" ? "ended" : "failed";
    case "stopped":
      return event.level === "info" ? "stopped" : "failed";
    case "started":
      return event.incarnation > 1 ? "restarted" : "started";
    case "injected":
      return event.fault === "heal" ? "held" : "injected";
    case "gave_up":
    case "restarting":
    case "missed":
      return event.kind;
    case "paused":
    case "resumed":
    case "draining":
      return "held";
    case "dead_letter":
      return "lost";
    default:
      return "report";
  }
}

/** An event's text without its path, which stands beside it. */
export function wordsOf(event) {
  const text = event.text;
  const rest = text.startsWith(event.path) ? text.slice(event.path.length) : text;
  const words = rest.replace(/^ #\d+:? /, "").trim();
  return words || nameOf(event.path);
}
