// A recording that is served in the place of a program.

import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Program, browser, isBack, isLive, open, row, says, shot } from "../kit.js";

let chromium, dir, file, replay;

/** A real run, in which a part was broken and came back. */
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "latido-web-"));
  file = join(dir, "run.jsonl");
  const [started, demo] = await Promise.all([
    browser(),
    Program.start(["demo", "--endless", "--web", "--record", file]),
  ]);
  chromium = started;
  const { page, close } = await open(chromium, demo.url);
  await isLive(page);
  await row(page, "latido/cpu").press("b");
  await isBack(page, "latido/cpu", 2);
  await says(page.locator("#incidents"), "Up again");
  await close();
  await demo.stop();
  replay = await Program.start(["replay", file, "--web"]);
});

after(async () => {
  await chromium?.close();
  await replay?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const isShown = (page) => page.locator("#connection[data-kind=recording]").waitFor();

test("a recording that is served is shown at once, at its beginning, and nothing can be done to it", async () => {
  const { page, heard, close } = await open(chromium, replay.url);
  await isShown(page);
  await says(page.locator("#whose"), "a recording, run.jsonl");
  await says(page.locator("#incidents"), "Nothing has failed.");
  assert.equal(await page.locator("#range").inputValue(), "all");
  const at = () => page.locator("#slider").evaluate((slider) => [slider.value, slider.min].map(Number));
  const [value, min] = await at();
  assert.ok(value - min < 0.01, `${value - min} s after its beginning`);
  await shot(page, "replay-beginning");
  // There are no jobs yet, and no hole where they will be.
  const [tree, part] = [await page.locator(".tree-card").boundingBox(), await page.locator("#part").boundingBox()];
  assert.ok(tree.x < part.x && Math.abs(tree.y - part.y) < 1, JSON.stringify({ tree, part }));
  await row(page, "latido/cpu").press("b");
  for (const hidden of [
    "#break",
    "#break-key",
    "#return",
    "#stranger",
    "#notice",
    ".breaking",
    ".orders",
    ".nothing span",
  ]) {
    assert.equal(await page.locator(hidden).isVisible(), false, hidden);
  }
  await says(page.locator(".refused"), "This is a recording");

  await page.getByLabel("To the next failure").click();
  await says(page.locator("#incidents"), "cpu panicked");
  await page.getByLabel("Play", { exact: true }).click();
  await isBack(page, "latido/cpu", 2);
  await shot(page, "replay");
  await page.locator("#now").waitFor({ state: "hidden" });
  await page.locator("#slider").press("PageUp");
  await page.locator("#slider").press("Home");
  await says(page.locator("#incidents"), "Nothing has failed.");
  assert.deepEqual(heard.errors, []);
  assert.deepEqual([...heard.asked], [new URL(replay.url).origin]);
  await close();
});

test("it is shown on a phone, and again after a reload", async () => {
  const { page, heard, close } = await open(chromium, replay.url, { viewport: { width: 390, height: 844 } });
  await isShown(page);
  await page.reload();
  await isShown(page);
  await page.getByLabel("To the next failure").click();
  await says(page.locator("#incidents"), "cpu panicked");
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  for (const part of ["#now", "#range"]) {
    const { x, width, height } = await page.locator(part).boundingBox();
    assert.ok(x + width <= 390 && height < 48, `${part} is ${width} x ${height}`);
  }
  await shot(page, "replay-phone");
  assert.deepEqual(heard.errors, []);
  await close();
});

test("a file that is opened there is left again for the one that is served", async () => {
  const { page, heard, close } = await open(chromium, replay.url);
  await isShown(page);
  const other = join(dir, "other.jsonl");
  writeFileSync(other, `${JSON.stringify({ tree: { at: 1, seq: 0, abandoned_threads: 0, children: [] } })}\n`);
  await page.locator("#file").setInputFiles(other);
  await says(page.locator("#whose"), "a recording, other.jsonl");
  await page.getByRole("button", { name: "Back to run.jsonl" }).click();
  await says(page.locator("#whose"), "a recording, run.jsonl");
  await says(row(page, "latido/cpu"), "cpu");
  assert.ok(await page.locator("#return").isHidden());
  assert.deepEqual(heard.errors, []);
  await close();
});

test("one that cannot be read just now is named, and shown when it can", async () => {
  renameSync(file, `${file}.away`);
  const { page, close } = await open(chromium, replay.url);
  await says(page.locator("#notice"), /cannot be shown: .*run\.jsonl: No such file/);
  assert.ok(await page.locator("#stranger").isHidden());
  renameSync(`${file}.away`, file);
  await isShown(page);
  await says(row(page, "latido/cpu"), "cpu");
  assert.ok(await page.locator("#notice").isHidden());
  await close();
});

test("what was read stays when nobody serves it any more", async () => {
  const own = await Program.start(["replay", file, "--web"]);
  const { page, heard, close } = await open(chromium, own.url);
  await isShown(page);
  await own.stop();
  await page.getByLabel("To the next failure").click();
  await says(page.locator("#incidents"), "cpu panicked");
  await page.locator("#slider").press("End");
  await says(page.locator("#verdict"), "The program's tree has stopped.");
  await says(row(page, "latido/cpu"), "#2");
  assert.ok(await page.locator("#notice").isHidden());
  await isShown(page);
  assert.deepEqual(heard.errors, []);
  await close();
});
