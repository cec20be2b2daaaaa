// One failure, or one fault that ended nobody, step by step. Pure: what is said here is shown elsewhere.

import { arithmetic, ended, parentOf, plural, short, span } from "./format.js";

/** A type's name without the modules that it and its parameters are in. @param {string} name */
const bare = (name) => name.replaceAll(/\w+::/g, "");

/** What happened, in a few words. @param {object} incident */
export const title = ({ path, reason, injected }) =>
  reason === null ? `${short(path)} got ${injected} on purpose` : `${short(path)} ${ended(reason)}`;

/** Whether it has to do with a part: that failed, or had to go with one that did. @param {object} incident @param {string} path */
export const befell = ({ path: of, stopped, moved = [] }, path) =>
  of === path || stopped.some((one) => one.path === path) || moved.includes(path);

/** @returns {[string, string]} what came of it, and of which sort that is */
export function outcome(incident) {
  const { reason, decision, down, again } = incident;
  if (reason === null) return outcomeOfFault(incident);
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
 * @returns {{sort: string, text: string, more?: string, lines?: string[], bar?: object, link?: {id: number, text: string}}[]}
 */
export function stepsOf(incident, all) {
  const { path, incarnation, reason, lived, injected, lost, kept, message, decision, stopped, down, answered, again } =
    incident;
  const boss = short(parentOf(path)) || "nobody";
  const steps = [];
  if (injected !== null) steps.push({ sort: "injected", text: `A fault was put in on purpose: ${injected}` });
  if (reason === null) return [...steps, ...goesOn(incident), ...consequences(incident)];
  steps.push({
    sort: "failed",
    text: `${short(path)} ${reason.text}`,
    more: `Its life number ${incarnation} had run for ${span(lived)}.`,
  });
  if (lost > 0 || kept > 0) {
    const gone =
      lost > 0 ? `${plural(lost, "message")} in hand lost${message ? ` (${bare(message)})` : ""}` : "no message lost";
    steps.push({ sort: "lost", text: `${gone}; ${kept > 0 ? `${kept} waiting kept` : "none was waiting"}` });
  }
  steps.push(decided(decision, path, boss, all, incident));
  if (stopped.length > 0) {
    const names = stopped.map((one) => `${short(one.path)} (${span(one.took)})`).join(", ");
    steps.push({ sort: "stopped", text: `Stopped with it: ${names}` });
  }
  if (incident.moved?.length > 0) {
    const names = incident.moved.map(short).join(", ");
    steps.push({ sort: "stopped", text: `Moved to another thread, in their next life: ${names}` });
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
  return [...steps, ...consequences(incident)];
}

function outcomeOfFault({ healed, consequences = [] }) {
  if (healed != null) return [`healed after ${span(healed)}`, "restarted"];
  const settled = new Map(consequences.map(({ matter, settled }) => [matter, settled]));
  const isOver = settled.size > 0 && [...settled.values()].every(Boolean);
  return isOver ? [`settled after ${span(consequences.at(-1).after)}`, "restarted"] : ["goes on", "held"];
}

/** A fault that has ended nobody. */
function goesOn({ path, healed, before }) {
  const link = before == null ? undefined : { id: before, text: "It has ended an earlier life" };
  const steps = [
    {
      sort: "held",
      text: `This life of ${short(path)} has not ended of it, so its supervisor has had nothing to do`,
      link,
    },
  ];
  if (healed != null) steps.push({ sort: "restarted", text: `It was healed after ${span(healed)}` });
  return steps;
}

/** What came of it elsewhere, as others told it: one step, a line for each. */
function consequences({ consequences = [], untold = 0 }) {
  if (consequences.length === 0) return [];
  const lines = consequences.map(({ after, path, text }) => `${span(after)} later, ${short(path)}: ${text}`);
  if (untold > 0) lines.push(`and ${untold} more`);
  return [{ sort: "report", text: "What came of it", lines }];
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
        more:
          wait + (budget.used > 1 ? `The oldest of these was to be forgotten ${span(budget.frees_in)} later.` : frees),
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
