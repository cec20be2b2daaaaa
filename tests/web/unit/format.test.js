import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../../src/control/page/format.js";

test("lengths of time have two or three digits and a unit", () => {
  for (const [seconds, text] of [
    [0.000_012, "12 µs"],
    [0.0014, "1.4 ms"],
    [0.0123, "12 ms"],
    [1.25, "1.3 s"],
    [2, "2 s"],
    [10, "10 s"],
    [59.97, "1 min"],
    [61, "1 min 1 s"],
    [3600, "1 h"],
    [3660 * 2, "2 h 2 min"],
    [86_400 * 3 + 7200, "3 d 2 h"],
    [-1, "0 µs"],
  ]) {
    assert.equal(format.span(seconds), text, String(seconds));
  }
  assert.equal(format.ago(0.2), "just now");
  assert.equal(format.ago(5.9), "5 s ago");
});

test("rates, counts and sizes are short", () => {
  assert.deepEqual([0, 0.5, 1, 2.46, 12.4, 1234].map(format.rate), ["0/s", "0.5/s", "1/s", "2.5/s", "12/s", "1,234/s"]);
  assert.equal(format.plural(1, "part"), "1 part");
  assert.equal(format.plural(1000, "part"), "1,000 parts");
  assert.deepEqual([0, 1023, 1536, 5e9].map(format.bytes), ["0 B", "1,023 B", "1.5 KiB", "4.7 GiB"]);
});

test("the arithmetic of a wait is set as in a book", () => {
  assert.equal(format.arithmetic("min(250ms, 10ms x 2^12 x 1.16)"), "min(250ms, 10ms × 2¹² × 1.16)");
});

test("a part that is down after a failure has failed, one that was told to stop has not", () => {
  const status = (state, kind) => format.status({ state, lastExit: kind && { kind } });
  assert.deepEqual(status("down", "panicked"), ["failed", "failed"]);
  assert.deepEqual(status("finished", "shutdown"), ["stopped", "stopped"]);
  assert.deepEqual(status("finished", "normal"), ["stopped", "finished"]);
  assert.deepEqual(status("waiting", "panicked"), ["restarting", "being restarted"]);
  assert.deepEqual(status("something new"), ["unknown", "not known"]);
});
