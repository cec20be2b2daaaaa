// Who has no token, has a wrong one, or may only look.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Program, browser, isLive, open, row, says, shot, silence } from "../kit.js";

let chromium, nothing, fetching;

before(async () => {
  [chromium, nothing] = await Promise.all([browser(), silence()]);
  fetching = await Program.start(["fetch", nothing.url("file"), "-d", "new", "--web"]);
});

after(async () => {
  await chromium?.close();
  await fetching?.stop();
  nothing?.close();
});

const address = () => `http://127.0.0.1:${fetching.port}/`;

test("without a token the page shows nothing and says what to do", async () => {
  const { page, heard, close } = await open(chromium, address());
  await says(page.locator("#stranger"), "latido web");
  assert.ok(await page.locator("#main").isHidden());
  assert.ok(!(await page.locator("body").innerText()).includes("ledger"));
  assert.deepEqual(heard.errors, [], "nothing was asked for");
  await shot(page, "no-token");
  // What is no link is said to be none, and the link that `latido web` prints is taken.
  await page.getByLabel("Or paste the link here").fill("hello");
  await page.getByRole("button", { name: "Look in" }).click();
  await says(page.locator("#stranger-wrong"), "This has no token");
  await page.getByLabel("Or paste the link here").fill(fetching.ask("web").stdout);
  await page.keyboard.press("Enter");
  await isLive(page);
  assert.ok(await page.locator("#stranger").isHidden());
  await close();
});

test("with a wrong token the page shows nothing and says what to do", async () => {
  const { page, close } = await open(chromium, `${address()}#token=${"0".repeat(32)}`);
  await says(page.locator("#stranger"), "is not that of the program that answers here");
  assert.ok(await page.locator("#main").isHidden());
  // The right link, in the same tab.
  await page.goto(fetching.url);
  await isLive(page);
  await close();
});

test("a run that allows no actions offers none, and says how to allow them", async () => {
  const { page, heard, close } = await open(chromium, fetching.url);
  await isLive(page);
  await row(page, "latido/ledger").click();
  await says(page.locator(".refused"), "--allow-actions");
  assert.ok(await page.locator("#break").isHidden());
  assert.ok(await page.locator(".breaking").isHidden());
  // Nor by a key.
  await row(page, "latido/ledger").press("b");
  await says(row(page, "latido/ledger"), "#1");
  await shot(page, "only-looking");
  assert.deepEqual(heard.errors, []);
  assert.deepEqual([...heard.asked], [new URL(fetching.url).origin]);
  await close();
});
