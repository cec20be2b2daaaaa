// A real program, a real browser, and what both have said.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "../..");
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
export const LATIDO = process.env.LATIDO ?? join(TARGET, "debug/latido");
export const SHOTS = process.env.LATIDO_SHOTS ?? join(HERE, "shots");
mkdirSync(SHOTS, { recursive: true });

/** Where whoever started it runs, with directories of its own. */
export class Program {
  /** @param {string[]} args */
  static async start(args) {
    if (!existsSync(LATIDO)) throw new Error(`${LATIDO} is not there: cargo build --bin latido`);
    const program = new Program();
    program.dir = mkdtempSync(join(tmpdir(), "latido-web-"));
    program.env = { ...process.env, LATIDO_RUNTIME_DIR: join(program.dir, "doors"), TMPDIR: program.dir };
    program.child = spawn(LATIDO, args, { cwd: program.dir, env: program.env, stdio: ["ignore", "pipe", "pipe"] });
    program.ended = new Promise((resolve) => program.child.on("exit", (code) => resolve(code)));
    program.said = "";
    const url = new Promise((resolve, reject) => {
      program.child.stdout.resume();
      program.child.stderr.on("data", (data) => {
        program.said += data;
        const found = /http:\/\/\S+#token=[0-9a-f]{32}/.exec(program.said);
        if (found) resolve(found[0]);
      });
      program.child.on("exit", () => reject(new Error(`it ended without a link: ${program.said}`)));
    });
    program.url = await url;
    return program;
  }

  /** What `latido` answers to these words. */
  ask(...args) {
    return spawnSync(LATIDO, args, { env: this.env, encoding: "utf8" });
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  async stop() {
    this.child.kill("SIGTERM");
    // The first signal drains, the second ends.
    await this.ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @returns {Promise<import("playwright-core").Browser>} */
export function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: ARGS });
}

/**
 * A page that keeps what it said on its console and whom it asked.
 * @param {import("playwright-core").Browser} browser @param {object} [options] of the browser's context
 */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1360, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const heard = { errors: [], asked: new Set() };
  page.on("console", (message) => message.type() === "error" && heard.errors.push(message.text()));
  page.on("pageerror", (error) => heard.errors.push(String(error)));
  page.on("request", (request) => heard.asked.add(new URL(request.url()).origin));
  await page.goto(url);
  return { page, heard, close: () => context.close() };
}

/** @param {import("playwright-core").Page} page @param {string} name */
export async function shot(page, name, options = {}) {
  const path = join(SHOTS, `${name}.png`);
  await page.screenshot({ path, ...options });
  console.log(`# screenshot ${path}`);
}

/** The row of a part in the tree. */
export const row = (page, path) => page.locator(`[role=treeitem][data-path="${path}"]`);

/** Waits until what is found has this text. @param {import("playwright-core").Locator} locator @param {string | RegExp} text */
export const says = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

/** Waits until the page is fed by a program. */
export const isLive = (page) => page.locator("#connection[data-kind=live]").waitFor();

/** Waits until a part is in one of its later lives and runs. */
export const isBack = (page, path, life) =>
  says(page.locator(`[role=treeitem][data-path="${path}"][data-status=running]`), `#${life}`);

/** A server that takes a question and never answers it: what is fetched from it is under way for ever. */
export async function silence() {
  const server = createServer((socket) => socket.on("error", () => {}));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { url: (name) => `http://127.0.0.1:${server.address().port}/${name}`, close: () => server.close() };
}

/** An address of its own in front of a program, which can be cut off from it, and be put before another. */
export class Bridge {
  static async to(program) {
    const bridge = new Bridge();
    bridge.port = program.port;
    bridge.sockets = new Set();
    bridge.server = createServer((near) => {
      if (bridge.port === null) {
        near.destroy();
        return;
      }
      const far = connect(bridge.port, "127.0.0.1");
      for (const socket of [near, far]) {
        bridge.sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => (near.destroy(), far.destroy(), bridge.sockets.delete(socket)));
      }
      near.pipe(far).pipe(near);
    });
    await new Promise((resolve) => bridge.server.listen(0, "127.0.0.1", resolve));
    return bridge;
  }

  /** The link of a program, by way of this. */
  link(program) {
    const url = new URL(program.url);
    url.port = String(this.server.address().port);
    return url.href;
  }

  cut() {
    this.port = null;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(program) {
    this.port = program.port;
  }

  close() {
    this.cut();
    this.server.close();
  }
}
