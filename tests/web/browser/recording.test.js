// A recording is shown in the same views, without a program.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Program, browser, isBack, isLive, open, row, says, shot } from "../kit.js";

let chromium, demo, file, address;

/** What was seen of a run, written down as its door said it. */
before(async () => {
  [chromium, demo] = await Promise.all([browser(), Program.start(["demo", "--endless", "--web"])]);
  const { origin, hash } = new URL(demo.url);
  address = origin;
  const headers = { authorization: `Bearer ${new URLSearchParams(hash.slice(1)).get("token")}` };
  const get = async (path) => (await fetch(origin + path, { headers })).json();
  const entries = [{ instance: await get("/v1") }, { tree: await get("/v1/tree") }];
  const { page, close } = await open(chromium, demo.url);
  await isLive(page);
  await row(page, "latido/cpu").press("b");
  await isBack(page, "latido/cpu", 2);
  await says(page.locator("#incidents"), "Up again");
  await close();
  const tree = await get("/v1/tree");
  const answer = await fetch(`${origin}/v1/events?format=ndjson&after=${entries[1].tree.seq}`, { headers });
  let text = "";
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes(`"seq":${tree.seq},`) && text.endsWith("\n")) break;
  }
  for (const line of text.trim().split("\n")) entries.push({ event: JSON.parse(line) });
  entries.push({ tree }, ...(await get("/v1/incidents")).map((incident) => ({ incident })));
  entries.push({ extra: { name: "jobs", at: tree.at, value: await get("/v1/extra/jobs") } });
  file = join(demo.dir, "run.jsonl");
  writeFileSync(file, `${entries.map((entry) => JSON.stringify(entry)).join("\n")}\n{"tree":{"at":`);
});

after(async () => {
  await chromium?.close();
  await demo?.stop();
});

test("a recording is opened without a token, begins at its beginning, and is played to its end", async () => {
  const { page, heard, close } = await open(chromium, address);
  await page.locator("#file").setInputFiles(file);
  await page.locator("#connection[data-kind=recording]").waitFor();
  await says(page.locator("#whose"), "a recording, run.jsonl");
  await says(row(page, "latido/cpu"), "#1");
  await says(page.locator("#incidents"), "Nothing has failed.");
  await says(page.locator(".refused"), "This is a recording");
  await page.getByLabel("To the next failure").click();
  await says(page.locator("#incidents"), "cpu panicked");
  await page.getByLabel("Play", { exact: true }).click();
  await isBack(page, "latido/cpu", 2);
  await page.locator("#now").waitFor({ state: "hidden" });
  await says(page.locator("[data-stage=done]"), "done");
  await shot(page, "recording");
  assert.deepEqual(heard.errors, []);
  await close();
});

test("what is no recording is refused in words, and nothing changes", async () => {
  const { page, close } = await open(chromium, demo.url);
  await isLive(page);
  await page.locator("#file").setInputFiles({ name: "x.txt", mimeType: "text/plain", buffer: Buffer.from("hello\n") });
  await says(page.locator("#notice"), "x.txt cannot be shown. It is not a recording");
  await isLive(page);
  // One that is a recording is left again for the program.
  await page.locator("#file").setInputFiles(file);
  await page.locator("#connection[data-kind=recording]").waitFor();
  await page.getByRole("button", { name: "Back to the program" }).click();
  await isLive(page);
  assert.ok(await page.locator("#notice").isHidden());
  await close();
});

test("a recording that is dropped is opened", async () => {
  const { page, close } = await open(chromium, address);
  await page.locator("#stranger").waitFor();
  const text = `${JSON.stringify({ tree: { at: 1, seq: 0, abandoned_threads: 0, children: [] } })}\n`;
  await page.evaluate((text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], "dropped.jsonl"));
    dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }, text);
  await says(page.locator("#whose"), "a recording, dropped.jsonl");
  await close();
});
