// How it is, in one sentence.

import { byId, reshape, say, set, shape, show } from "./dom.js";
import { ago, clock, count, plural, span } from "./format.js";
import { firstAfter, sortOf } from "./log.js";
import { title } from "./story.js";

/** For so long a failure is news, or a fault. */
const FRESH = 20;

const sign = shape("unknown");
byId("verdict").prepend(sign);

/**
 * @param {import("./log.js").Log} log @param {object} picture
 * @param {{isNow: boolean, from: number}} time @param {object | undefined} story the last failure, or fault
 */
export function verdict(log, { counts, parts, abandoned, at }, { isNow, from }, story) {
  const root = parts.values().next().value;
  const some = (n, one, many) => (n === 1 ? `1 part ${one}` : `${plural(n, "part")} ${many}`);
  const all = counts.parts;
  const isFresh = story !== undefined && at - story.at < FRESH;
  let [status, words] = ["running", isFresh && story.reason !== null ? "Everything runs again." : "Everything runs."];
  if (root.status === "failed") [status, words] = ["gave_up", "The program's tree has failed."];
  else if (root.status === "stopped") [status, words] = ["stopped", "The program's tree has stopped."];
  else if (root.status === "unknown" && counts.unknown > all / 2)
    [status, words] = ["unknown", "Not much is known of this moment."];
  else if (counts.failed > 0) [status, words] = ["failed", `${some(counts.failed, "has failed", "have failed")}.`];
  else if (counts.restarting > 0)
    [status, words] = ["restarting", `${some(counts.restarting, "is", "are")} being restarted.`];
  else if (counts.starting + counts.stopping > 0)
    [status, words] = ["starting", `${some(counts.starting + counts.stopping, "is", "are")} on the way up or down.`];
  else if (counts.stopped > 0)
    [status, words] = [
      "stopped",
      `Everything runs but ${some(counts.stopped, "that was stopped", "that were stopped")}.`,
    ];
  else if (counts.paused > 0)
    [status, words] = ["held", `Everything runs but ${some(counts.paused, "that is paused", "that are paused")}.`];
  reshape(sign, status);
  set(byId("verdict"), "data-status", status);
  say(byId("verdict-words"), isNow ? words : `${clock(at)}: ${words[0].toLowerCase()}${words.slice(1)}`);
  let again = 0;
  for (
    let i = firstAfter(log.events, (event) => event.at >= from);
    i < log.events.length && log.events[i].at <= at;
    i += 1
  ) {
    if (sortOf(log.events[i]) === "restarted") again += 1;
  }
  const facts = [
    isFresh && `${title(story)}, ${ago(at - story.at)}${story.down === null ? "" : `; up after ${span(story.down)}`}`,
    !isFresh && `${count(counts.running)} of ${plural(all, "part")} up`,
    again > 0 && `${plural(again, "restart")} in view`,
    abandoned > 0 && `${plural(abandoned, "thread")} left behind, blocked`,
  ];
  say(byId("verdict-more"), facts.filter(Boolean).join(" · "));
  show(byId("why"), isFresh);
}
