// Saying what matters to those who do not see it: failures, restarts and give-ups, several of them in one sentence.

import { sortOf } from "./log.js";
import { ended, plural, short } from "./format.js";
import { byId } from "./dom.js";

const GATHER = 700;

/** What is said of several events. @param {object[]} events @returns {string} */
export function sentence(events) {
  const gaveUp = events.filter((event) => sortOf(event) === "gave_up").map((event) => `${short(event.path)} gave up`);
  const failed = events.filter((event) => sortOf(event) === "failed");
  const back = events.filter((event) => sortOf(event) === "restarted");
  const some = (all, one, many) => {
    const paths = [...new Set(all.map((event) => event.path))];
    if (paths.length === 0) return [];
    return [paths.length === 1 ? one(all.at(-1)) : `${plural(paths.length, "part")} ${many}`];
  };
  return [
    ...some(failed, (event) => `${short(event.path)} ${ended(event.reason)}`, "failed"),
    ...gaveUp,
    ...some(back, (event) => `${short(event.path)} runs again`, "run again"),
  ].join("; ");
}

export class Speaker {
  constructor() {
    this.events = [];
    this.timer = null;
  }

  /** @param {object} event */
  hear(event) {
    if (!["failed", "gave_up", "restarted"].includes(sortOf(event))) return;
    this.events.push(event);
    this.timer ??= setTimeout(() => {
      this.say(sentence(this.events));
      this.events = [];
      this.timer = null;
    }, GATHER);
  }

  /** @param {string} text */
  say(text) {
    byId("spoken").textContent = text;
  }
}
