// The program goes, comes back, or another comes in its place.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bridge, Program, browser, isBack, isLive, open, row, says, shot } from "../kit.js";

let chromium, demo, bridge, view;

before(async () => {
  [chromium, demo] = await Promise.all([browser(), Program.start(["demo", "--endless", "--web"])]);
  bridge = await Bridge.to(demo);
  view = await open(chromium, bridge.link(demo));
});

after(async () => {
  await chromium?.close();
  bridge?.close();
  await demo?.stop();
});

test("a program that is cut off is said to be, and is followed again when it is back, with what happened meanwhile", async () => {
  const { page } = view;
  await isLive(page);
  bridge.cut();
  await says(page.locator("#notice"), "The program does not answer");
  await says(page.locator("#connection"), "no answer, trying again");
  assert.ok(await page.locator("#break").isDisabled());
  await page.waitForFunction(() => document.getElementById("spoken").textContent === "The program does not answer.");
  await shot(page, "no-answer");
  const before = await row(page, "latido").locator(".life").textContent();
  demo.ask("inject", "latido/heartbeat", "panic");
  bridge.mend(demo);
  await isLive(page);
  await isBack(page, "latido/heartbeat", 2);
  await says(page.locator("#incidents"), "heartbeat panicked");
  assert.ok(await page.locator("#notice").isHidden());
  assert.equal(await row(page, "latido").locator(".life").textContent(), before);
});

test("a program that stands still is said not to answer, and is followed when it goes on", async () => {
  const { page } = view;
  demo.child.kill("SIGSTOP");
  await says(page.locator("#notice"), "The program does not answer");
  demo.child.kill("SIGCONT");
  await isLive(page);
});

test("when another run answers at the same address, the page asks for its link and then starts anew", async () => {
  const { page } = view;
  await demo.stop();
  await says(page.locator("#connection"), "no answer, trying again");
  demo = await Program.start(["demo", "--endless", "--web"]);
  bridge.mend(demo);
  await says(page.locator("#stranger"), "The program was started again, and has a new token.");
  // What was seen of the first can still be looked at.
  await says(page.locator("#incidents"), "heartbeat panicked");
  await shot(page, "another-run");
  await page.getByLabel("Or paste the link here").fill(demo.ask("web").stdout);
  await page.keyboard.press("Enter");
  await isLive(page);
  await says(page.locator("#whose"), `process ${demo.child.pid}`);
  await says(page.locator("#incidents"), "Nothing has failed.");
});
