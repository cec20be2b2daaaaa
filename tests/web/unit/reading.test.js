import assert from "node:assert/strict";
import { test } from "node:test";
import { lines, tokenOf } from "../../../src/control/page/door.js";
import { buttons, typed } from "../../../src/control/page/faults.js";
import { befell, outcome, stepsOf, title } from "../../../src/control/page/story.js";
import { Log } from "../../../src/control/page/log.js";
import { KEPT, read } from "../../../src/control/page/record.js";
import { sentence } from "../../../src/control/page/speak.js";
import { incidentsAt } from "../../../src/control/page/picture.js";
import { app, budget, event, exited, incident } from "./entries.js";

const stream = (...pieces) => new Blob(pieces).stream();

test("lines are read however they are cut, and a torn last one is not", async () => {
  const pieces = ['{"a":1}\n{"a"', ':2}\n\n{"a":"ä', '"}\n{"a":4'];
  const cut = new ReadableStream({
    start(controller) {
      for (const byte of new TextEncoder().encode(pieces.join(""))) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  const read = [];
  for await (const value of lines(cut)) read.push(value.a);
  assert.deepEqual(read, [1, 2, "ä"]);
});

test("of a long recording the beginning is kept, of a program that runs the end", async () => {
  const lines = [app(1, 0), ...Array.from({ length: 30_000 }, (_, n) => exited(n + 1, 2 + n / 100, "app/a"))];
  const text = lines.map((entry) => JSON.stringify(entry)).join("\n") + "\n";
  const [whole, bounded] = [new Log(KEPT), new Log()];
  await read(stream(text), whole);
  await read(stream(text), bounded);
  assert.deepEqual([whole.events.length, whole.events[0].seq], [30_000, 1]);
  assert.ok(bounded.events.length < 30_000 && bounded.events.at(-1).seq === 30_000);
});

test("a recording is read, what a later version adds is passed over, and what is none is refused in words", async () => {
  const log = new Log();
  const entries = [
    { instance: { program: "x" } },
    app(1, 0),
    exited(1, 2, "app/a"),
    { moon: {} },
    incident(1, 2, "app/a"),
  ];
  await read(stream(entries.map((entry) => JSON.stringify(entry)).join("\n"), '\n{"tree":{"at"'), log);
  assert.deepEqual([log.instance.program, log.trees.length, log.events.length, log.incidents.size], ["x", 1, 1, 1]);
  await assert.rejects(read(stream("<html>\n"), new Log()), /no JSON/);
  await assert.rejects(read(stream('{"moon":1}\n'), new Log()), /no tree and no event/);
});

test("a link or a token is taken, anything else is not", () => {
  const token = "0123456789abcdef0123456789abcdef";
  assert.equal(tokenOf(` http://127.0.0.1:4780/#token=${token}\n`), token);
  assert.equal(tokenOf(token), token);
  for (const wrong of ["", "http://127.0.0.1:4780/", `${token}0`, "token=123"])
    assert.equal(tokenOf(wrong), null, wrong);
});

test("the usual faults have a button, and a part's own; the others are in the list", () => {
  const known = [
    { usage: "panic", says: "", example: "panic" },
    { usage: "block:SECONDS", says: "", example: "block:3" },
    { usage: "drop:N", says: "", example: "drop:3" },
    { usage: "cut", says: "" },
    { usage: "signal:NAME", says: "", example: "signal:KILL" },
    { usage: "new:THING", says: "" },
  ];
  assert.deepEqual(
    buttons(known, ["cut", "signal:NAME"]).map((one) => [one.fault, one.name]),
    [
      ["panic", "Panic"],
      ["block:3", "Block for 3 s"],
      ["cut", "cut"],
      ["signal:KILL", "signal:KILL"],
    ],
  );
  assert.deepEqual(
    known.map(typed),
    ["panic", "block:3", "drop:3", "cut", "signal:KILL", "new:THING"],
    "of what nobody has given an example of, what it is called",
  );
});

test("a story has its steps and its numbers in words", () => {
  const { incident: it } = incident(7, 100, "app/a", {
    injected: "panic",
    lost: 1,
    kept: 3,
    down: 0.431,
    answered: 0.432,
  });
  const steps = stepsOf(it, []);
  assert.deepEqual(
    steps.map((step) => step.text),
    [
      "A fault was put in on purpose: panic",
      "a panicked: oh at src/a.rs:1:1",
      "1 message in hand lost; 3 waiting kept",
      "app restarts it: 2 of 3 restarts in 10 s",
      "Up again as life number 2, 431 ms after it failed",
    ],
  );
  assert.equal(
    steps[3].more,
    "Wait 420 ms = min(5s, 100ms × 2² × 1.05). The oldest of these was to be forgotten 5 s later.",
  );
});

test("a fault that ended nobody says so, and what came of it", () => {
  const consequences = [
    { after: 0.015, path: "app/ledger", matter: "f", text: "f: again in 1.0s: connection reset" },
    { after: 1.4, path: "app/ledger", matter: "f", text: "f: done", settled: true },
  ];
  const cut = { reason: null, injected: "cut", decision: { kind: "not_asked" }, consequences, untold: 2 };
  const { incident: it } = incident(7, 100, "app/a", cut);
  const steps = stepsOf(it, []);
  assert.deepEqual(
    steps.map((step) => step.text),
    [
      "A fault was put in on purpose: cut",
      "This life of a has not ended of it, so its supervisor has had nothing to do",
      "What came of it",
    ],
  );
  assert.deepEqual(steps[2].lines, [
    "15 ms later, ledger: f: again in 1.0s: connection reset",
    "1.4 s later, ledger: f: done",
    "and 2 more",
  ]);
  assert.deepEqual(
    [title(it), outcome(it)[0], outcome({ ...it, healed: 3 })[0]],
    ["a got cut on purpose", "settled after 1.4 s", "healed after 3 s"],
  );
  assert.equal(outcome({ ...it, consequences: consequences.slice(0, 1) })[0], "goes on");
  const known = (at) => incidentsAt(Object.assign(new Log(), { incidents: new Map([[7, it]]) }), at)[0];
  assert.deepEqual([known(101).consequences.length, known(102).consequences.length], [1, 2]);
  assert.ok(befell(it, "app/a") && befell({ ...it, moved: ["app/b"] }, "app/b") && !befell(it, "app/b"));
});

test("a give-up leads on to what became of the supervisor", () => {
  const decision = { kind: "give_up", budget: { used: 4, intensity: 3, period: 10, frees_in: 1 } };
  const { incident: child } = incident(7, 100, "app/x/a", { decision });
  const { incident: boss } = incident(8, 100.1, "app/x");
  const step = stepsOf(child, [boss, child]).find((one) => one.sort === "gave_up");
  assert.match(step.text, /x gives up: it would be restart 4 of 3 in 10 s/);
  assert.equal(step.link.id, 8);
});

test("of a program that is gone before it could be asked, the events tell why it gave up", () => {
  const log = new Log();
  const gaveUp = { child: "app/a", reason: { kind: "panicked", text: "panicked" }, budget: budget(4) };
  for (const entry of [
    app(1, 0),
    event(1, 2, "app/a", "injected", { fault: "panic" }),
    exited(2, 2, "app/a"),
    event(3, 2.1, "app", "gave_up", gaveUp),
  ])
    log.add(entry);
  const [told] = incidentsAt(log, 3);
  assert.deepEqual([told.id, told.path, told.injected, told.down], [2, "app/a", "panic", null]);
  assert.deepEqual(told.decision, { kind: "give_up", budget: budget(4) });
  // What the program itself says of it counts.
  log.add(incident(2, 2, "app/a", { story: "its own words" }));
  assert.equal(incidentsAt(log, 3)[0].story, "its own words");
});

test("what is read aloud is one short sentence, however much happens", () => {
  const back = event(2, 1, "app/a", "started", { incarnation: 2 }).event;
  assert.equal(sentence([exited(1, 1, "app/a").event, back]), "a panicked; a runs again");
  const many = Array.from({ length: 50 }, (_, i) => exited(i, 1, `app/${i}`).event);
  assert.equal(sentence(many), "50 parts failed");
});
