// Entries of a recording, as the door writes them: a tree `app` of `a` and `b`, and what happens to it.

const NONE = { received: 0, handled: 0, lost: 0, dropped: 0, queued: 0, in_hand: false };

export const budget = (used, freesIn = 5) => ({ used, intensity: 3, period: 10, frees_in: freesIn });

export const child = (path, more = {}) => ({
  path,
  kind: "Worker",
  state: "running",
  incarnation: 1,
  last_exit: null,
  messages: { ...NONE, ...more.messages },
  supervisor: null,
  ...Object.fromEntries(Object.entries(more).filter(([name]) => name !== "messages")),
});

export const supervisor = (path, used = 0) =>
  child(path, { kind: "Supervisor", supervisor: { strategy: "one_for_one", budget: budget(used, used ? 5 : 0) } });

export const tree = (at, seq, children) => ({ tree: { at, seq, abandoned_threads: 0, children } });

export const app = (at, seq, handled = 0) =>
  tree(at, seq, [supervisor("app"), child("app/a", { messages: { handled } }), child("app/b")]);

export const event = (seq, at, path, kind, more = {}) => ({
  event: { seq, at, path, incarnation: 1, level: "info", text: `${path} #1 ${kind}`, kind, ...more },
});

const PANICKED = { kind: "panicked", text: "panicked: oh at src/a.rs:1:1" };

export const exited = (seq, at, path, reason = PANICKED) =>
  event(seq, at, path, "exited", {
    level: "warn",
    reason,
    lived: 1,
    lost: 0,
    message: null,
    kept: 0,
    text: `${path} #1 ${reason.text}`,
  });

export const restarting = (seq, at, path, delay, used = 1, siblings = []) =>
  event(seq, at, path, "restarting", {
    level: "warn",
    delay,
    wait: "no wait",
    failures: 1,
    budget: budget(used),
    siblings,
  });

export const incident = (id, at, path, more = {}) => ({
  incident: {
    id,
    at,
    path,
    incarnation: 1,
    reason: PANICKED,
    lived: 1,
    injected: null,
    lost: 0,
    message: null,
    kept: 0,
    decision: { kind: "restart", delay: 0.42, wait: "min(5s, 100ms x 2^2 x 1.05)", budget: budget(2), siblings: [] },
    stopped: [],
    down: null,
    answered: null,
    again: null,
    story: "…",
    ...more,
  },
});
