// What can be put into a part. What the door says of it comes first; this is for doors that say nothing.

/**
 * @typedef {{usage: string, says: string, example?: string}} Fault `usage` is what is to be typed: `panic`,
 *   `block:SECONDS`; `example` can be put in as it stands: `block:3`
 * @type {Fault[]}
 */
export const FAULTS = [
  { usage: "panic", says: "it panics" },
  { usage: "fail", says: "it ends with an error" },
  { usage: "stop", says: "it stops itself" },
  { usage: "block:SECONDS", says: "it blocks its thread for so long", example: "block:3" },
];

/** These have a button, and a name on it; the others are chosen from the list. */
const BUTTONS = { panic: "Panic", fail: "Fail", stop: "Stop itself", block: "Block" };

/** What is put in by one click, or to be completed: `block:3` for `block:SECONDS`. @param {Fault} fault */
export const typed = ({ usage, example }) => example ?? usage;

/**
 * Those that have a button: a few that every part has, and those of its own.
 * @param {Fault[]} faults @param {string[]} own @returns {{fault: string, name: string, says: string}[]}
 */
export function buttons(faults, own) {
  const chosen = faults.filter(({ usage }) => usage.split(":")[0] in BUTTONS || own.includes(usage));
  return chosen.map((fault) => {
    const [word, argument] = typed(fault).split(":");
    const name = argument === undefined ? BUTTONS[word] : `${BUTTONS[word]} for ${argument} s`;
    return { fault: typed(fault), name: own.includes(fault.usage) ? typed(fault) : name, says: fault.says };
  });
}
