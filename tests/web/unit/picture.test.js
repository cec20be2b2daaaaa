import assert from "node:assert/strict";
import { test } from "node:test";
import { Log, sortOf, wordsOf } from "../../../src/control/page/log.js";
import { incidentsAt, pictureAt } from "../../../src/control/page/picture.js";
import { app, child, event, exited, incident, restarting, supervisor, tree } from "./entries.js";

function logOf(...entries) {
  const log = new Log();
  entries.forEach((entry) => log.add(entry));
  return log;
}

const at = (log, moment, path) => pictureAt(log, moment).parts.get(path);

test("the picture of a moment is the last tree before it and the events since", () => {
  const log = logOf(
    app(100, 10),
    exited(11, 101, "app/a"),
    restarting(12, 101, "app/a", 2),
    event(13, 103, "app/a", "started", { incarnation: 2 }),
    app(110, 13),
  );
  assert.equal(at(log, 100.5, "app/a").status, "running");
  const waiting = at(log, 101.5, "app/a");
  assert.deepEqual([waiting.status, waiting.due, waiting.lastExit.kind], ["restarting", 103, "panicked"]);
  assert.equal(at(log, 101.5, "app/b").status, "running");
  const again = at(log, 104, "app/a");
  assert.deepEqual([again.status, again.incarnation, again.due], ["running", 2, null]);
  assert.equal(at(log, 111, "app/a").incarnation, 1, "a tree says more than the events before it");
});

test("an event that the tree has seen already is not told again", () => {
  const log = logOf(exited(11, 101, "app/a"), app(100, 11));
  assert.equal(at(log, 102, "app/a").status, "running");
});

test("a group that restarts waits with the one that failed, and siblings that stop for it are not stopped for good", () => {
  const log = logOf(
    app(100, 10),
    exited(11, 101, "app/a"),
    restarting(12, 101, "app/a", 5, 1, ["app/b"]),
    event(13, 101.5, "app/b", "stopped", { reason: { kind: "shutdown", text: "" }, took: 0.1 }),
    event(14, 106, "app/a", "started", { incarnation: 2 }),
    event(15, 106, "app/b", "started", { incarnation: 2 }),
  );
  assert.equal(at(log, 101.2, "app/b").status, "running");
  assert.equal(at(log, 102, "app/b").status, "restarting");
  assert.equal(at(log, 106, "app/b").status, "running");
});

test("restarts are spent from the supervisor's budget and become free again", () => {
  const log = logOf(app(100, 10), exited(11, 101, "app/a"), restarting(12, 101, "app/a", 0, 2));
  const used = (moment) => at(log, moment, "app").supervisor;
  assert.equal(used(100).used, 0);
  assert.deepEqual([used(102).used, used(102).freesAt], [2, 106]);
  assert.deepEqual([used(107).used, used(107).freesAt], [1, null]);
});

test("a give-up is told with who climbs over whom, for as long as it is news", () => {
  const gaveUp = event(12, 101, "app", "gave_up", {
    level: "error",
    child: "app/a",
    reason: {},
    budget: { used: 4, intensity: 3, period: 10, frees_in: 1 },
  });
  const log = logOf(app(100, 10), exited(11, 101, "app/a"), gaveUp);
  assert.deepEqual(pictureAt(log, 102).escalations, [{ supervisor: "app", child: "app/a", at: 101 }]);
  assert.equal(at(log, 102, "app").mark.sort, "gave_up");
  assert.deepEqual(pictureAt(log, 120).escalations, []);
});

test("a restart is shown with what it was for", () => {
  const log = logOf(app(100, 10), exited(11, 101, "app/a"), event(12, 101.1, "app/a", "started", { incarnation: 2 }));
  const { mark } = at(log, 102, "app/a");
  assert.deepEqual([mark.sort, mark.cause.reason.kind], ["restarted", "panicked"]);
});

test("a part that is paused or drained is so until it is resumed or started again", () => {
  const log = logOf(
    tree(100, 10, [supervisor("app"), child("app/a", { paused: false, armed: ["panic@3"], own_faults: ["cut"] })]),
    event(11, 101, "app/a", "paused"),
    event(12, 102, "app/a", "resumed"),
    event(13, 103, "app/a", "draining"),
    event(14, 104, "app/a", "started", { incarnation: 2 }),
  );
  const held = [100, 101, 102, 103, 104].map((moment) => at(log, moment, "app/a"));
  assert.deepEqual(
    held.map((one) => [one.paused, one.draining]),
    [
      [false, false],
      [true, false],
      [false, false],
      [false, true],
      [false, false],
    ],
  );
  assert.deepEqual([held[0].armed, held[0].own], [["panic@3"], ["cut"]]);
  const { paused, armed } = at(logOf(app(100, 10)), 100, "app/a");
  assert.deepEqual([paused, armed], [null, []], "a door of an earlier version says nothing of it");
});

test("before the first tree only what the events say is known", () => {
  const log = logOf(event(1, 90, "app/a", "started"), app(100, 10));
  assert.equal(at(log, 95, "app/a").status, "running");
  assert.equal(at(log, 95, "app/b").status, "unknown");
  assert.equal(at(log, 95, "app/b").messages, null);
  assert.equal(pictureAt(logOf(), 95), null);
});

test("a part that was started since the tree was looked at stands behind its siblings", () => {
  const log = logOf(
    tree(100, 1, [supervisor("app"), supervisor("app/x"), child("app/x/1"), child("app/y")]),
    event(2, 101, "app/x/2", "started"),
    event(3, 101, "app/gone", "stopped", { reason: { kind: "shutdown", text: "" }, took: 0 }),
  );
  assert.deepEqual([...pictureAt(log, 102).parts.keys()], ["app", "app/x", "app/x/1", "app/x/2", "app/y"]);
});

test("messages handled a second are counted between two trees", () => {
  const log = logOf(app(100, 1, 10), app(101, 1, 30), app(102, 1, 50));
  assert.equal(at(log, 100, "app/a").rate, null);
  assert.equal(at(log, 102, "app/a").rate, 20);
});

test("an incident is known at a moment as it was known then", () => {
  const log = logOf(incident(7, 100, "app/a"), incident(7, 100, "app/a", { down: 2, answered: 3 }));
  assert.deepEqual(incidentsAt(log, 99), []);
  assert.equal(incidentsAt(log, 101)[0].down, null);
  assert.deepEqual([incidentsAt(log, 102.5)[0].down, incidentsAt(log, 102.5)[0].answered], [2, null]);
  assert.equal(incidentsAt(log, 104)[0].answered, 3);
});

test("events are kept once, in their order, and a gap stands where it was", () => {
  const log = logOf(
    event(5, 999, "app", "missed", { events: 5, level: "warn" }),
    event(6, 10, "app/a", "started"),
    event(6, 10, "app/a", "started"),
    event(7, 9, "app/b", "started"),
  );
  assert.deepEqual(
    log.events.map((one) => [one.seq, one.at]),
    [
      [5, 10],
      [6, 10],
      [7, 10],
    ],
  );
  assert.equal(log.seq, 7);
});

test("another run in the same log begins it anew, the same one after a full file does not", () => {
  const [one, other] = [
    { pid: 1, since: 5 },
    { pid: 1, since: 6 },
  ];
  const log = logOf({ instance: one }, app(10, 5), { instance: one }, app(11, 5));
  assert.equal(log.trees.length, 2);
  log.add({ instance: other });
  log.add(event(1, 12, "app", "started"));
  assert.deepEqual([log.trees.length, log.events.length], [0, 1]);
});

test("no more is kept than there is room for, the newest", () => {
  const log = new Log({ events: 100, children: 30 });
  for (let i = 1; i <= 1_000; i += 1) log.add(event(i, i, "app/a", "started"));
  for (let i = 1; i <= 1_000; i += 1) log.add(app(i, i));
  assert.ok(log.events.length <= 110 && log.events.at(-1).seq === 1_000);
  assert.ok(log.trees.length === 10 && log.trees.at(-1).at === 1_000);
});

test("a child that has not changed is kept once", () => {
  const log = logOf(app(100, 1), app(101, 1, 5));
  assert.equal(log.trees[0].children[2], log.trees[1].children[2]);
  assert.notEqual(log.trees[0].children[1], log.trees[1].children[1]);
});

test("events are sorted by what they mean, and said without their path", () => {
  assert.equal(sortOf(exited(1, 1, "app/a").event), "failed");
  assert.equal(sortOf({ ...exited(1, 1, "app/a").event, level: "info" }), "ended");
  assert.equal(sortOf(event(1, 1, "app/a", "started", { incarnation: 2 }).event), "restarted");
  assert.equal(sortOf(event(1, 1, "app/a", "of a later version").event), "report");
  assert.equal(wordsOf({ path: "app/a", text: "app/a #12: 3 files" }), "3 files");
  assert.equal(wordsOf({ path: "app/a", text: "app/a #1 started" }), "started");
});
