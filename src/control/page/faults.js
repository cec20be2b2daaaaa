// What can be put into a part.

/** @type {{fault: string, name: string, what: string}[]} */
export const FAULTS = [
  { fault: "panic", name: "Panic", what: "It panics, as a bug would make it." },
  { fault: "fail", name: "Fail", what: "It ends with an error of its own." },
  { fault: "stop", name: "Stop itself", what: "It ends as if its work were done." },
  { fault: "block:2", name: "Block for 2 s", what: "It keeps its thread busy, and its neighbours there wait." },
];
