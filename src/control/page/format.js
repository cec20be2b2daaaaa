// Numbers, times and states, in words.

const numbers = new Intl.NumberFormat("en");

/** 1234 -> "1,234" @param {number} n */
export const count = (n) => numbers.format(Math.round(n));

/** 3, "part" -> "3 parts" @param {number} n @param {string} word */
export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

/** A length of time, to two or three digits. @param {number} seconds */
export function span(seconds) {
  const s = Math.max(0, seconds);
  if (s < 0.000_95) return `${Math.round(s * 1e6)} µs`;
  if (s < 0.0095) return `${(s * 1000).toFixed(1)} ms`;
  if (s < 0.9995) return `${Math.round(s * 1000)} ms`;
  if (s < 59.95) return `${s < 9.95 && s !== Math.round(s) ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3570) return pair(Math.round(s), 60, "min", "s");
  if (s < 86_400) return pair(Math.round(s / 60), 60, "h", "min");
  return pair(Math.round(s / 3600), 24, "d", "h");
}

function pair(n, base, large, small) {
  const rest = n % base;
  return `${Math.floor(n / base)} ${large}${rest ? ` ${rest} ${small}` : ""}`;
}

/** A countdown: it never shows more digits than can be read. @param {number} seconds */
export const left = (seconds) => (seconds < 10 ? `${Math.max(0, seconds).toFixed(1)} s` : span(seconds));

/** How long it is since then. @param {number} seconds */
export const ago = (seconds) => (seconds < 1 ? "just now" : `${span(Math.floor(seconds))} ago`);

/** How often a second. @param {number} n */
export function rate(n) {
  if (n === 0) return "0/s";
  if (n < 0.95) return `${n.toFixed(1)}/s`;
  return `${n < 9.95 ? n.toFixed(1).replace(".0", "") : count(n)}/s`;
}

/** @param {number} n */
export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (n >= 1023.5 && unit < units.length - 1) {
    n /= 1024;
    unit += 1;
  }
  return `${unit === 0 || n >= 99.5 ? count(n) : n.toFixed(1)} ${units[unit]}`;
}

/** The time of day here, of seconds since 1970. @param {number} at @param {boolean} [fine] with milliseconds */
export function clock(at, fine = false) {
  const date = new Date(at * 1000);
  const two = (n) => String(n).padStart(2, "0");
  const day = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return fine ? `${day}.${String(date.getMilliseconds()).padStart(3, "0")}` : day;
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** The arithmetic of a wait: min(250ms, 10ms x 2^1 x 1.16) with signs as in a book. @param {string} text */
export const arithmetic = (text) =>
  text.replaceAll(" x ", " × ").replace(/\^(\d+)/g, (_, digits) => [...digits].map((digit) => RAISED[digit]).join(""));

/** A path without its root: what is the same everywhere need not be read. @param {string} path */
export const short = (path) => path.slice(path.indexOf("/") + 1);

/** @param {string} path */
export const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/** @param {string} path */
export const parentOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

const FAILURES = {
  panicked: "panicked",
  failed: "failed",
  killed: "was killed",
  unresponsive: "hung",
  deaf: "stopped listening",
  out_of_threads: "ran out of threads",
  start_failed: "could not start",
  gave_up: "gave up",
  normal: "finished",
  shutdown: "was stopped",
};

/** How a life ended, in one or two words. @param {{kind: string}} exit */
export const ended = (exit) => FAILURES[exit.kind] ?? exit.kind.replaceAll("_", " ");

/** @param {{kind: string} | null | undefined} exit */
export const isFailure = (exit) => exit != null && exit.kind !== "normal" && exit.kind !== "shutdown";

/**
 * What a part is doing: a key for its shape and colour, and a word.
 * @param {{state: string, lastExit?: {kind: string} | null}} part
 * @returns {[string, string]}
 */
export function status({ state, lastExit }) {
  switch (state) {
    case "running":
      return ["running", "running"];
    case "starting":
      return ["starting", "starting"];
    case "waiting":
      return ["restarting", "being restarted"];
    case "stopping":
      return ["stopping", "stopping"];
    case "finished":
      return isFailure(lastExit)
        ? ["failed", "failed"]
        : ["stopped", lastExit?.kind === "normal" ? "finished" : "stopped"];
    case "down":
      return isFailure(lastExit) ? ["failed", "failed"] : ["stopped", "not started"];
    default:
      return ["unknown", "not known"];
  }
}

const STRATEGIES = {
  one_for_one: ["one for one", "Only the child that failed is restarted."],
  one_for_all: ["one for all", "When one child fails, all of them are restarted."],
  rest_for_one: ["rest for one", "The child that failed is restarted, and those that started after it."],
};

/** A strategy's name, and what it means. @param {string} strategy @returns {[string, string]} */
export const strategyWords = (strategy) => STRATEGIES[strategy] ?? [strategy.replaceAll("_", " "), ""];
