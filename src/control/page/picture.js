// How the program was at one moment: the last tree before it, and the events since. A pure function of the log.

import { firstAfter, sortOf } from "./log.js";
import { nameOf, parentOf, status } from "./format.js";

/** What has just happened to a part is shown for so long. */
export const MARK = 8;

/**
 * @typedef {object} Part
 * @property {string} path
 * @property {string} name
 * @property {number} depth
 * @property {string} kind its actor's type
 * @property {string} state as the door says it
 * @property {string} status the key of its shape and colour
 * @property {string} word what it is doing
 * @property {number} incarnation
 * @property {object | null} lastExit
 * @property {object | null} messages null before the first tree
 * @property {number | null} rate messages handled a second
 * @property {number | null} due when its restart is due
 * @property {object | null} supervisor {strategy, used, intensity, period, freesAt}
 * @property {boolean | null} paused its messages wait
 * @property {boolean} draining it handles what is queued, and stops then
 * @property {string[]} armed faults that were put in and are not over
 * @property {string[]} own faults that it has besides those that every part has
 * @property {object | null} mark what has just happened to it: {sort, at, event, cause}
 */

/**
 * @param {import("./log.js").Log} log
 * @param {number} at
 * @returns {{at: number, parts: Map<string, Part>, counts: object, abandoned: number, jobs: any, escalations: object[]} | null}
 */
export function pictureAt(log, at) {
  const next = firstAfter(log.trees, (tree) => tree.at > at);
  const tree = log.trees[next - 1];
  const shape = tree ?? log.trees[0];
  if (!shape) return null;

  const parts = new Map();
  for (const child of shape.children) parts.set(child.path, part(child, shape, tree !== undefined));
  rates(parts, log.trees, next - 1);

  const since = tree ? tree.seq : 0;
  const begin = firstAfter(log.events, (event) => event.seq > since);
  for (let i = begin; i < log.events.length && log.events[i].at <= at; i += 1) apply(parts, log.events[i]);

  const escalations = marks(parts, log.events, at);
  for (const one of parts.values()) {
    [one.status, one.word] = status(one);
    if (one.state !== "waiting") one.due = null;
    const budget = one.supervisor;
    if (budget?.freesAt != null && budget.freesAt <= at) {
      budget.used = Math.max(0, budget.used - 1);
      budget.freesAt = null;
    }
  }
  return {
    at,
    parts,
    counts: counts(parts),
    abandoned: tree?.abandoned_threads ?? 0,
    jobs: extra(log, "jobs", at),
    escalations,
  };
}

function part(child, tree, isKnown) {
  const { supervisor } = child;
  return {
    path: child.path,
    name: nameOf(child.path),
    depth: child.path.split("/").length - 1,
    kind: child.kind,
    state: isKnown ? child.state : "unknown",
    status: "unknown",
    word: "",
    incarnation: isKnown ? child.incarnation : 0,
    lastExit: isKnown ? child.last_exit : null,
    messages: isKnown ? child.messages : null,
    rate: null,
    due: null,
    group: false,
    // null where the door is of a version that knows nothing of it
    paused: isKnown ? (child.paused ?? null) : null,
    draining: isKnown ? (child.draining ?? false) : false,
    armed: isKnown ? (child.armed ?? []) : [],
    own: child.own_faults ?? [],
    supervisor: supervisor && { strategy: supervisor.strategy, ...budget(supervisor.budget, tree.at, isKnown) },
    mark: null,
  };
}

function budget({ used, intensity, period, frees_in: freesIn }, at, isKnown = true) {
  const isUsed = isKnown && used > 0 && freesIn > 0;
  return { used: isKnown ? used : 0, intensity, period, freesAt: isUsed ? at + freesIn : null };
}

/** How many messages each handled a second, over the two seconds or so before tree number `last`. */
function rates(parts, trees, last) {
  if (last < 1) return;
  let first = last - 1;
  while (first > 0 && trees[last].at - trees[first].at < 1.5) first -= 1;
  const time = trees[last].at - trees[first].at;
  if (time <= 0) return;
  for (const child of trees[first].children) {
    const now = parts.get(child.path);
    if (now) now.rate = Math.max(0, now.messages.handled - child.messages.handled) / time;
  }
}

function apply(parts, event) {
  let it = parts.get(event.path);
  if (!it) {
    if (event.kind !== "started") return;
    it = add(parts, event.path);
  }
  switch (event.kind) {
    case "started":
      Object.assign(it, { state: "running", incarnation: event.incarnation, group: false, draining: false });
      break;
    case "paused":
      it.paused = true;
      break;
    case "resumed":
      it.paused = it.draining = false;
      break;
    case "draining":
      it.draining = true;
      break;
    case "exited":
      it.lastExit = event.reason;
      it.state = event.reason.kind === "normal" ? "finished" : "down";
      break;
    case "stopped":
      it.lastExit = event.reason;
      it.state = it.group ? "waiting" : "finished";
      break;
    case "restarting":
      for (const path of [event.path, ...event.siblings]) {
        const one = parts.get(path);
        if (!one) continue;
        one.group = true;
        one.due = event.at + event.delay;
        if (path === event.path || one.state !== "running") one.state = "waiting";
      }
      spend(parts, parentOf(event.path), event);
      break;
    case "gave_up":
      it.state = "stopping";
      spend(parts, event.path, event);
      break;
  }
}

function spend(parts, path, event) {
  const supervisor = parts.get(path)?.supervisor;
  if (supervisor) Object.assign(supervisor, budget(event.budget, event.at));
}

/** One that was started after the tree was looked at stands behind its last sibling. */
function add(parts, path) {
  const one = part(
    { path, kind: "", state: "running", incarnation: 0, last_exit: null, messages: null, supervisor: null },
    {},
    true,
  );
  const parent = parentOf(path);
  const all = [...parts.values()];
  const last = all.findLastIndex((other) => other.path === parent || other.path.startsWith(`${parent}/`));
  all.splice(last + 1, 0, one);
  parts.clear();
  for (const other of all) parts.set(other.path, other);
  return one;
}

const LOUD = new Set(["failed", "gave_up", "restarted", "injected", "stopped"]);

/** Puts on each part what has just happened to it; answers who gave up over whom. */
function marks(parts, events, at) {
  const escalations = [];
  for (let i = firstAfter(events, (event) => event.at > at) - 1; i >= 0 && events[i].at > at - MARK; i -= 1) {
    const event = events[i];
    const sort = sortOf(event);
    if (!LOUD.has(sort)) continue;
    if (sort === "gave_up") escalations.push({ supervisor: event.path, child: event.child, at: event.at });
    const one = parts.get(event.path);
    if (!one) continue;
    if (!one.mark) one.mark = { sort, at: event.at, event, cause: null };
    // What it was restarted for is worth as much as that it was.
    else if (one.mark.sort === "restarted" && !one.mark.cause && (sort === "failed" || sort === "gave_up"))
      one.mark.cause = event;
  }
  return escalations;
}

function counts(parts) {
  const sum = {
    parts: 0,
    supervisors: 0,
    running: 0,
    paused: 0,
    restarting: 0,
    failed: 0,
    stopped: 0,
    starting: 0,
    stopping: 0,
    unknown: 0,
  };
  for (const one of parts.values()) {
    if (one.paused && one.status === "running") sum.paused += 1;
    if (one.supervisor) sum.supervisors += 1;
    else sum.parts += 1;
    if (!one.supervisor || one.status !== "running") sum[one.status] += 1;
  }
  return sum;
}

/** What the program showed beside its tree, last before a moment. */
export function extra(log, name, at) {
  const all = log.extras.get(name) ?? [];
  return all[firstAfter(all, (one) => one.at > at) - 1]?.value ?? null;
}

/**
 * The failures until a moment, the newest first, and of each only what was known then.
 * @param {import("./log.js").Log} log @param {number} at
 */
export function incidentsAt(log, at) {
  const known = [...log.incidents.values()].filter((incident) => incident.at <= at);
  known.sort((one, other) => other.id - one.id);
  return known.map((incident) => ({
    ...incident,
    down: incident.down != null && incident.at + incident.down <= at ? incident.down : null,
    healed: incident.healed != null && incident.at + incident.healed <= at ? incident.healed : null,
    consequences: (incident.consequences ?? []).filter(({ after }) => incident.at + after <= at),
    answered: incident.answered != null && incident.at + incident.answered <= at ? incident.answered : null,
    again: incident.again != null && log.incidents.get(incident.again)?.at <= at ? incident.again : null,
  }));
}
