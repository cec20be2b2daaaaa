// Parts whose messages are held up by hand, and faults that only some parts have.

import { after, before, test } from "node:test";
import { Program, browser, isBack, isLive, open, row, says, shot } from "../kit.js";

let chromium, demo, page;

before(async () => {
  [chromium, demo] = await Promise.all([browser(), Program.start(["demo", "--endless", "--web"])]);
  ({ page } = await open(chromium, demo.url));
  await isLive(page);
});

after(async () => {
  await chromium?.close();
  await demo?.stop();
});

/** Whether the program can hold parts up: one of an earlier version cannot. */
const can = () => demo.ask("drain", "--help").status === 0;

test("a part is paused, resumed and drained, and says so", async (t) => {
  await row(page, "latido/downloaders/0").click();
  if (!can()) return t.skip("this program pauses nobody");
  const [part, orders] = [row(page, "latido/downloaders/0"), page.locator("#part .orders")];
  await orders.getByRole("button", { name: "Pause" }).click();
  await says(part, "paused");
  await says(page.locator(".answer"), "downloaders/0 takes no message until it is resumed.");
  await says(page.locator("#verdict"), "Everything runs but 1 part that is paused.");
  await shot(page, "paused");
  await orders.getByRole("button", { name: "Resume" }).click();
  await says(page.locator(".answer"), "downloaders/0 takes messages again.");
  await page.locator('[data-path="latido/downloaders/0"]:not(:has-text("paused"))').waitFor();
  await orders.getByRole("button", { name: "Drain" }).click();
  await says(page.locator(".answer"), "has handled what was queued, and stopped.");
  await page.locator('[data-path="latido/downloaders/0"][data-status=stopped]').waitFor();
  await orders.getByRole("button", { name: "Start" }).click();
  await isBack(page, "latido/downloaders/0", 2);
});

test("a part's own faults have a button, and one that waits to strike is shown", async (t) => {
  await row(page, "latido/downloaders/1").click();
  if (!can()) return t.skip("this program has no such faults");
  await page.getByRole("group", { name: "Break it" }).getByRole("button", { name: "cut", exact: true }).waitFor();
  await page.getByRole("button", { name: "Other…" }).click();
  await page.getByLabel("The fault as it is typed").fill("panic@1000");
  await page.keyboard.press("Enter");
  await says(row(page, "latido/downloaders/1"), "panic@1000 waits");
  await says(page.locator(".facts-list"), "panic@1000");
  await page.getByLabel("The fault as it is typed").fill("heal");
  await page.keyboard.press("Enter");
  await page.locator('[data-path="latido/downloaders/1"]:not(:has-text("waits"))').waitFor();
});
