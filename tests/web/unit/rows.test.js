import assert from "node:assert/strict";
import { test } from "node:test";
import { Log } from "../../../src/control/page/log.js";
import { pictureAt } from "../../../src/control/page/picture.js";
import { LARGE, rowsOf } from "../../../src/control/page/rows.js";
import { ceiling, depth, restarts, throughput, valueAt } from "../../../src/control/page/series.js";
import { app, child, event, exited, supervisor, tree } from "./entries.js";

function partsOf(children, ...events) {
  const log = new Log();
  [tree(100, 0, children), ...events].forEach((entry) => log.add(entry));
  return pictureAt(log, 200).parts;
}

const crowd = (n) => [
  supervisor("app"),
  supervisor("app/many"),
  ...Array.from({ length: n }, (_, i) => child(`app/many/${i}`)),
  child("app/last"),
];

test("rows stand as in the tree, with their level and place", () => {
  const rows = rowsOf(partsOf(crowd(2)), new Map(), null);
  assert.deepEqual(
    rows.map((row) => [row.path, row.level, row.position, row.size, row.opened]),
    [
      ["app", 1, 1, 1, true],
      ["app/many", 2, 1, 2, true],
      ["app/many/0", 3, 1, 2, null],
      ["app/many/1", 3, 2, 2, null],
      ["app/last", 2, 2, 2, null],
    ],
  );
  assert.equal(rowsOf(partsOf(crowd(2)), new Map([["app/many", false]]), null).length, 3);
});

test("a large group is one row, but for who is in trouble or chosen", () => {
  const parts = partsOf(crowd(1_000), exited(1, 150, "app/many/500"));
  const paths = (opened, selected) => rowsOf(parts, opened, selected).map((row) => row.path);
  assert.deepEqual(paths(new Map(), "app/many/7"), [
    "app",
    "app/many",
    "app/many/7",
    "app/many/500",
    "app/many/*",
    "app/last",
  ]);
  const rest = rowsOf(parts, new Map(), null).find((row) => row.rest).rest;
  assert.deepEqual([rest.folded, rest.of, rest.running, rest.states.length], [999, 1_000, 999, 1_000]);
  assert.equal(paths(new Map([["app/many/*", true]]), null).length, 1_004);
});

test("of many in trouble the worst are shown, and no more than can be read", () => {
  const exits = Array.from({ length: 100 }, (_, i) => exited(i + 1, 150, `app/many/${i}`));
  const rows = rowsOf(partsOf(crowd(200), ...exits), new Map(), null);
  assert.ok(rows.length < LARGE, String(rows.length));
  assert.equal(rows.find((row) => row.rest).rest.failed, 92);
  const back = exits.map((_, i) => event(i + 1, 195, `app/many/${i}`, "started", { incarnation: 2 }));
  const one = rowsOf(partsOf(crowd(200), ...back, exited(500, 196, "app/many/150")), new Map(), null);
  assert.ok(
    one.some((row) => row.path === "app/many/150"),
    "one that failed comes before those that are back",
  );
});

test("a chart sums over a part and all beneath it", () => {
  const log = new Log();
  for (const [at, handled] of [
    [100, 0],
    [101, 10],
    [102, 40],
  ]) {
    log.add(
      tree(at, 0, [
        supervisor("app"),
        child("app/a", { messages: { handled, queued: 2 } }),
        child("app/ab", { messages: { handled, queued: 1 } }),
      ]),
    );
  }
  assert.deepEqual(
    throughput(log, "app", 100, 102).map((point) => point.value),
    [20, 60],
  );
  assert.deepEqual(
    throughput(log, "app/a", 100, 102).map((point) => point.value),
    [10, 30],
  );
  assert.deepEqual(
    depth(log, "app", 100, 102).map((point) => point.value),
    [3, 3, 3],
  );
  assert.equal(valueAt(depth(log, "app/a", 100, 102), 101.5), 2);
  assert.equal(valueAt([], 101.5), null);
});

test("restarts are counted into slots that stand still", () => {
  const log = new Log();
  log.add(app(100, 0));
  [10.2, 10.4, 13].forEach((at, i) => log.add(event(i + 1, at, "app/a", "started", { incarnation: 2 })));
  const values = (from, to) => restarts(log, "app", from, to, 10).filter((bar) => bar.value > 0);
  assert.deepEqual(values(5, 15), [
    { at: 10, value: 2 },
    { at: 13, value: 1 },
  ]);
  assert.deepEqual(values(5.4, 15.4), values(5, 15));
  assert.deepEqual(
    restarts(log, "app/b", 5, 15, 10).filter((bar) => bar.value > 0),
    [],
  );
});

test("an axis ends at a round number", () => {
  assert.deepEqual([0, 0.3, 1, 3, 11, 250, 4_001].map(ceiling), [1, 1, 1, 4, 20, 400, 5_000]);
});
