// By keyboard, on a phone, in the dark, with a thousand parts; and what axe finds.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Program, browser, isBack, isLive, open, row, says, shot, silence } from "../kit.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let chromium, demo;

before(async () => {
  [chromium, demo] = await Promise.all([browser(), Program.start(["demo", "--endless", "--web"])]);
});

after(async () => {
  await chromium?.close();
  await demo?.stop();
});

/** Everything that axe knows of WCAG 2.2 AA, and its own best practices. */
async function check(page, what) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`,
  );
  assert.deepEqual(found, [], what);
}

test("everything is done by keyboard alone", async () => {
  const { page, close } = await open(chromium, demo.url);
  await isLive(page);
  const focused = () => page.evaluate(() => document.activeElement.dataset.path ?? document.activeElement.id ?? "");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const reached = [];
  for (let i = 0; i < 60 && (await focused()) !== "latido"; i += 1) {
    await page.keyboard.press("Tab");
    reached.push(await focused());
  }
  assert.ok(reached.includes("break"), String(reached));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), "latido/ledger");
  await page.keyboard.press("End");
  assert.equal(await focused(), "latido/supply");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await row(page, "latido").getAttribute("aria-expanded"), "false");
  assert.equal(await page.locator("#tree [role=treeitem]").count(), 1);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "latido/heartbeat");
  await page.keyboard.press("b");
  await isBack(page, "latido/heartbeat", 2);
  // The story comes a moment after the life that it tells of.
  await page.getByText("In the program's words").first().waitFor();
  // On to the buttons of the part, its story, and the handle of time.
  const seen = new Set();
  for (let i = 0; i < 60 && (await focused()) !== "slider"; i += 1) {
    await page.keyboard.press("Tab");
    seen.add(
      await page.evaluate(
        () => document.activeElement.textContent.trim() || document.activeElement.getAttribute("aria-label"),
      ),
    );
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", "what has the focus is marked");
  }
  for (const name of ["Panic", "Restart", "Stop", "In the program's words", "To the failure before"])
    assert.ok(seen.has(name), `${name} is not in ${[...seen]}`);
  assert.equal(await focused(), "slider");
  await page.keyboard.press("ArrowLeft");
  await says(page.locator("#connection"), "the past");
  await page.keyboard.press("End");
  await isLive(page);
  await close();
});

test("on a phone nothing is wider than the screen", async () => {
  const { page, close } = await open(chromium, demo.url, {
    viewport: { width: 360, height: 780 },
    hasTouch: true,
    isMobile: true,
  });
  await isLive(page);
  await page.locator("#break").tap();
  await says(page.locator("#incidents"), "Up again as life number");
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `${width} px`);
  await shot(page, "phone");
  await shot(page, "phone-whole", { fullPage: true });
  await check(page, "phone");
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing wrong in ${colorScheme}, live and in the past`, async () => {
    const { page, close } = await open(chromium, demo.url, { colorScheme });
    await isLive(page);
    await row(page, "latido/cpu").press("b");
    await says(page.locator("#incidents"), "cpu panicked");
    await says(row(page, "latido/cpu"), "restarted");
    await page.locator("#reports").check();
    await check(page, "live");
    await shot(page, `whole-${colorScheme}`, { fullPage: true });
    await page.getByLabel("To the failure before").click();
    await says(page.locator("#connection"), "the past");
    await check(page, "past");
    await close();
    const stranger = await open(chromium, new URL("/", demo.url).href, { colorScheme });
    await says(stranger.page.locator("#stranger"), "latido web");
    await check(stranger.page, "stranger");
    await stranger.close();
  });
}

test("who wants no motion gets none, and who wants some gets little", async () => {
  for (const [reducedMotion, expected] of [
    ["reduce", 0],
    ["no-preference", 1],
  ]) {
    const { page, close } = await open(chromium, demo.url, { reducedMotion });
    await isLive(page);
    assert.equal(
      await page.evaluate(() => document.getAnimations().filter((one) => one.animationName).length),
      expected,
    );
    await close();
  }
});

test("a thousand parts are one row and those in trouble, and can all be seen", async () => {
  const nothing = await silence();
  const urls = Array.from({ length: 1_000 }, (_, i) => nothing.url(String(i)));
  const crowd = await Program.start(["fetch", ...urls, "-d", "new", "-j", "1000", "--web", "--allow-actions"]);
  try {
    const { page, heard, close } = await open(chromium, crowd.url);
    await isLive(page);
    const rest = row(page, "latido/downloaders/*");
    await says(rest, "1,000 more");
    await row(page, "latido/cpu").press("b");
    await says(page.locator("#incidents"), "cpu panicked");
    crowd.ask("inject", "latido/downloaders/500", "panic");
    await isBack(page, "latido/downloaders/500", 2);
    await shot(page, "thousand");
    const rows = () => page.locator("#tree [role=treeitem]").count();
    assert.ok((await rows()) < 20, String(await rows()));
    await rest.click();
    await row(page, "latido/downloaders/999").waitFor();
    assert.ok((await rows()) > 1_000);
    const took = await page.evaluate(async () => {
      const start = performance.now();
      for (let i = 0; i < 10; i += 1) await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return (performance.now() - start) / 10;
    });
    console.log(`# a frame with 1,000 rows: ${took.toFixed(0)} ms`);
    await says(rest, "show fewer");
    await rest.press("Enter");
    await says(rest, "more");
    assert.deepEqual(heard.errors, []);
    await close();
  } finally {
    await crowd.stop();
    nothing.close();
  }
});
