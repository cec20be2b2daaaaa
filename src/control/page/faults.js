// What can be put into a part. What the door says of it comes first; this is for doors that say nothing.

/**
 * @typedef {{usage: string, says: string}} Fault `usage` is what is to be typed: `panic`, `block:SECONDS`
 * @type {Fault[]}
 */
export const FAULTS = [
  { usage: "panic", says: "it panics" },
  { usage: "fail", says: "it ends with an error" },
  { usage: "stop", says: "it stops itself" },
  { usage: "block:SECONDS", says: "it blocks its thread for so long" },
];

/** What is put in by one click, where nothing else is said. */
const EXAMPLES = { SECONDS: "2", N: "3", NAME: "KILL", LINES: "1000", "EIO|ENOSPC": "EIO" };

/** These have a button, and a name on it; the others are chosen from the list. */
const BUTTONS = { panic: "Panic", fail: "Fail", stop: "Stop itself", block: "Block for 2 s" };

/** A fault that can be put in as it stands: `block:2` for `block:SECONDS`. @param {string} usage */
export function typed(usage) {
  const [name, argument] = usage.split(":");
  return argument === undefined ? name : `${name}:${EXAMPLES[argument] ?? argument}`;
}

/**
 * Those that have a button: a few that every part has, and those of its own.
 * @param {Fault[]} faults @param {string[]} own @returns {{fault: string, name: string, says: string}[]}
 */
export function buttons(faults, own) {
  const chosen = faults.filter(({ usage }) => usage.split(":")[0] in BUTTONS || own.includes(usage));
  return chosen.map(({ usage, says }) => {
    const word = usage.split(":")[0];
    return { fault: typed(usage), name: own.includes(usage) ? typed(usage) : BUTTONS[word], says };
  });
}
