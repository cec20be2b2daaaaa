// What somebody does who sees the page for the first time: looks, breaks something, and asks why.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Program, browser, isBack, isLive, open, row, says, shot } from "../kit.js";

let demo, chromium, view;

before(async () => {
  [demo, chromium] = await Promise.all([Program.start(["demo", "--endless", "--web"]), browser()]);
  view = await open(chromium, demo.url);
});

after(async () => {
  await chromium?.close();
  await demo?.stop();
});

test("the page shows who runs, and goes on showing it", async () => {
  const { page } = view;
  await isLive(page);
  await says(page.locator("#verdict"), "Everything runs.");
  assert.equal(await page.title(), "latido demo · latido");
  assert.equal(await page.locator("#tree [role=treeitem]").count(), 13);
  await says(row(page, "latido/downloaders"), "one for one");
  await says(row(page, "latido/ledger"), /\/s/);
  const done = page.locator("[data-stage=done] .stage-number");
  const first = await done.textContent();
  await page.waitForFunction(
    ([is, was]) => document.querySelector(is).textContent !== was,
    ["[data-stage=done] .stage-number", first],
  );
  await shot(page, "demo");
});

test("the token is in no address and no history", async () => {
  const { page } = view;
  assert.equal(new URL(page.url()).hash, "");
  await page.reload();
  await isLive(page);
});

test("one click breaks a part, and the page tells what came of it and why", async () => {
  const { page } = view;
  await row(page, "latido/cpu").click();
  await page.locator("#break").click();
  await says(page.locator(".answer"), "Panic was put into cpu.");
  await isBack(page, "latido/cpu", 2);
  await says(row(page, "latido/cpu"), "panicked, restarted");
  const story = page.locator(".story").first();
  await says(story, "cpu panicked");
  await says(story, "A fault was put in on purpose: panic");
  await says(story, /latido restarts it: 1 of 15 restarts in 10 s/);
  await says(story, /Wait \d+ ms = min\(250ms, 10ms × 2⁰ × [\d.]+\)/);
  await says(story, /Up again as life number 2, \d+ ms after it failed/);
  await says(page.locator("#verdict"), "Everything runs again.");
  await says(row(page, "latido"), /one is free in/);
  await page.waitForFunction(() => /cpu panicked|cpu runs again/.test(document.getElementById("spoken").textContent));
  await shot(page, "story");
});

test("the handle goes back to the failure, and to now", async () => {
  const { page } = view;
  await page.getByLabel("To the failure before").click();
  await says(page.locator("#connection"), "the past");
  await says(page.locator("#verdict"), /^\d\d:\d\d:\d\d: /);
  await page
    .locator(`[data-path="latido/cpu"][data-status=failed], [data-path="latido/cpu"][data-status=restarting]`)
    .waitFor();
  await says(row(page, "latido/cpu"), "#1");
  await says(page.locator(".refused"), "You look at the past");
  assert.ok(await page.locator("#break").isDisabled());
  await shot(page, "past");
  // A second before, nothing had happened.
  await page.locator("#slider").press("ArrowLeft");
  await page.locator(`[data-path="latido/cpu"][data-status=running]`).waitFor();
  await says(page.locator("#incidents"), "Nothing has failed.");
  await page.locator("#now").click();
  await isBack(page, "latido/cpu", 2);
  await isLive(page);
});

test("what was before is played until it is caught up with", async () => {
  const { page } = view;
  await page.locator("#slider").press("ArrowLeft");
  await says(page.locator("#connection"), "the past");
  await page.getByLabel("Play", { exact: true }).click();
  await isLive(page);
});

test("a part is stopped and started, and each fault of the menu strikes", async () => {
  const { page } = view;
  await row(page, "latido/heartbeat").click();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await says(page.locator(".answer"), "heartbeat was stopped");
  await page.locator(`[data-path="latido/heartbeat"][data-status=stopped]`).waitFor();
  await says(page.locator("#verdict"), "Everything runs but 1 part that was stopped.");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await isBack(page, "latido/heartbeat", 2);
  const row2 = row(page, "latido/downloaders/2");
  await row2.click();
  for (const fault of ["Fail", "Stop itself", "Panic"]) {
    const before = await row2.locator(".life").textContent();
    await page.getByRole("group", { name: "Break it" }).getByRole("button", { name: fault }).click();
    await isBack(page, "latido/downloaders/2", Number(before.slice(1)) + 1);
  }
  await says(page.locator("#incidents"), "downloaders/2 failed");
});

test("a fault that ends nobody has a story: which file it struck, and what became of it", async () => {
  const { page } = view;
  await row(page, "latido/downloaders/0").click();
  await page.getByRole("group", { name: "Break it" }).getByRole("button", { name: "cut" }).click();
  await says(page.locator("#verdict"), "Everything runs.");
  await page.getByText("downloaders/0 got cut on purpose").first().waitFor();
  await page.getByRole("button", { name: "Why?" }).click();
  const story = page.locator(".story:has([aria-expanded=true])", { hasText: "got cut on purpose" });
  await says(story, /later, ledger: file-\d+\.bin: again in .*: connection reset/);
  await says(story, /later, ledger: file-\d+\.bin: done/);
  await says(story, /settled after/);
  await shot(page, "cut");
});

test("any fault is put in as it is typed, at the message that is said", async () => {
  const { page } = view;
  await row(page, "latido/supply").click();
  await page.getByRole("button", { name: "Other…" }).click();
  await page.getByLabel("Which fault").selectOption("fail");
  await says(page.locator(".says"), "It ends with an error.");
  await page.getByLabel("The fault as it is typed").fill("sneeze");
  await page.keyboard.press("Enter");
  await says(page.locator(".answer"), /Not done: .*sneeze/);
  await page.getByLabel("The fault as it is typed").fill("fail");
  await page.getByRole("button", { name: "Put in" }).click();
  await isBack(page, "latido/supply", 2);
  await shot(page, "other-fault");
});

test("giving up climbs to the supervisor, and its supervisor begins anew", async () => {
  const { page } = view;
  const path = "latido/exec/0";
  await row(page, path).click();
  const gaveUp = page.locator("#incidents").getByText("supervisor gave up");
  const exec = row(page, "latido/exec").locator(".life");
  while ((await exec.textContent()) === "#1") {
    const life = await row(page, path).locator(".life").textContent();
    await page.locator('[data-fault="panic"]').click();
    const is = ([of, was]) => document.querySelector(`[data-path="${of}"] .life`).textContent !== was;
    await page.waitForFunction(is, [path, life]);
  }
  await says(row(page, "latido/exec"), /gave up, restarted/);
  await row(page, path).locator(".guide.hot").waitFor();
  await gaveUp.first().waitFor();
  await shot(page, "gave-up");
  const story = page.locator(".story", { has: page.getByText("supervisor gave up") }).first();
  const head = story.locator(".story-head");
  if ((await head.getAttribute("aria-expanded")) === "false") await head.click();
  await says(story, /exec gives up: it would be restart 10 of 9 in 10 s/);
  await story.getByRole("button", { name: "What became of exec" }).click();
  await says(page.locator(".story:has([aria-expanded=true])"), /latido restarts it/);
});

test("what a program says is never markup", async () => {
  const { page } = view;
  await row(page, "latido/supply").click();
  if (await page.locator("#other-fault").isHidden()) await page.getByRole("button", { name: "Other…" }).click();
  await page.getByLabel("The fault as it is typed").fill("<img src=x>");
  await page.keyboard.press("Enter");
  await says(page.locator(".answer"), /Not done: .*<img src=x>/);
  assert.equal(await page.locator("main img").count(), 0);
});

test("nobody but the program was asked, and nothing went wrong", () => {
  const { heard } = view;
  assert.deepEqual([...heard.asked], [new URL(demo.url).origin]);
  const errors = heard.errors.filter((error) => !/40[04]/.test(error)); // what was asked for wrongly, above
  assert.deepEqual(errors, []);
});
