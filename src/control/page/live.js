// Following a program that runs: its events as they come, its tree about once a second, and patience when it goes. Who
// answers with a recording is read once.

import { Refused } from "./door.js";
import { NoRecording } from "./record.js";

const LOOK = 1_000;
/** After something happened, which the next tree will show better. */
const SOON = 120;
const WAITS = [500, 1_000, 2_000, 4_000];

/** After these the tree is another. */
const TELLING = new Set(["exited", "stopped", "started", "restarting", "gave_up"]);

/**
 * @typedef {{kind: "connecting"} | {kind: "live"} | {kind: "reading"} |
 *   {kind: "lost", since: number, next: number, why: string | null} |
 *   {kind: "denied", hadAnswer: boolean, why: string}} Connection
 */
export class Live {
  /**
   * @param {import("./door.js").Door} door
   * @param {{
   *   entry: (entry: object) => void, anew: () => void, connection: (connection: Connection) => void, seq: () => number,
   *   recording: (name: string, stream: ReadableStream<Uint8Array>) => Promise<void>,
   * }} heard
   */
  constructor(door, heard) {
    this.door = door;
    this.heard = heard;
    this.run = null;
    this.shows = new Set(["jobs"]);
    this.skew = 0;
    /** Whether something has happened since the last look; whether more is to be known of an incident; whether the last is unfinished. */
    this.hurry = this.asks = this.waits = false;
    this.closed = new AbortController();
    this.wake = () => {};
    document.addEventListener("visibilitychange", () => this.wake(), { signal: this.closed.signal });
  }

  close() {
    this.closed.abort();
    this.wake();
  }

  /** The program's clock. */
  now() {
    return Date.now() / 1000 + this.skew;
  }

  /** Asks to look soon. */
  soon() {
    this.hurry = true;
    this.wake();
  }

  async follow() {
    let failures = 0;
    let since = 0;
    while (!this.closed.signal.aborted) {
      let why = null;
      try {
        await this.#visit(() => {
          failures = 0;
          this.heard.connection({ kind: "live" });
        });
      } catch (error) {
        if (this.closed.signal.aborted) return;
        if (error instanceof Refused && error.status === 401) {
          this.heard.connection({ kind: "denied", hadAnswer: this.run !== null, why: error.message });
          return;
        }
        if (error instanceof Refused || error instanceof NoRecording) why = error.message;
      }
      if (this.closed.signal.aborted) return;
      if (failures === 0) since = Date.now();
      const wait = WAITS[Math.min(failures, WAITS.length - 1)];
      failures += 1;
      this.heard.connection({ kind: "lost", since, next: Date.now() + wait, why });
      await this.#nap(wait);
    }
  }

  /** From the first answer until it goes. */
  async #visit(isThere) {
    const instance = await this.door.get("/v1");
    if (instance.replay != null) return this.#replay(instance.replay);
    const run = `${instance.pid} ${instance.since}`;
    if (run !== this.run) {
      this.run = run;
      this.heard.anew();
    }
    this.heard.entry({ instance });
    await this.#look();
    await this.#incidents();
    isThere();
    const visit = new AbortController();
    const stop = () => visit.abort();
    this.closed.signal.addEventListener("abort", stop);
    try {
      await Promise.race([this.#events(visit.signal), this.#poll(visit.signal)]);
    } finally {
      stop();
      this.closed.signal.removeEventListener("abort", stop);
    }
  }

  /** It is no program but a recording. Once it is read, nobody need answer any more. */
  async #replay(name) {
    this.heard.connection({ kind: "reading" });
    await this.heard.recording(name, await this.door.stream("/v1/record", this.closed.signal));
    this.close();
  }

  async #events(signal) {
    const path = `/v1/events?format=ndjson&after=${this.heard.seq()}`;
    for await (const event of this.door.lines(path, signal)) {
      this.heard.entry({ event });
      const hasStory = event.incident != null;
      this.asks ||= hasStory;
      if (hasStory || TELLING.has(event.kind)) this.soon();
    }
  }

  async #poll(signal) {
    while (!signal.aborted) {
      if (!this.hurry) await this.#nap(LOOK);
      if (this.hurry) await new Promise((resolve) => setTimeout(resolve, SOON));
      while (document.hidden && !signal.aborted) await this.#nap(60_000);
      if (signal.aborted) return;
      this.hurry = false;
      const asks = this.asks;
      this.asks = false;
      await this.#look();
      if (asks || this.waits) await this.#incidents();
    }
  }

  async #look() {
    const sent = Date.now();
    const tree = await this.door.get("/v1/tree");
    const here = (sent + Date.now()) / 2000;
    // The look that took least says best what the time is there.
    const skew = tree.at - here;
    this.skew = this.skew === 0 || Math.abs(skew - this.skew) > 0.25 ? skew : this.skew * 0.9 + skew * 0.1;
    this.heard.entry({ tree });
    for (const name of this.shows) {
      try {
        this.heard.entry({ extra: { name, at: tree.at, value: await this.door.get(`/v1/extra/${name}`) } });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.shows.delete(name); // this program has no such thing
      }
    }
  }

  async #incidents() {
    const all = await this.door.get("/v1/incidents");
    for (const incident of all) this.heard.entry({ incident });
    // Its first message after the restart may still be to come.
    const last = all.findLast((incident) => incident.reason !== null);
    this.waits = last !== undefined && last.answered === null && this.now() - last.at < 30;
  }

  /** Does nothing for so long, or until it is woken. */
  #nap(time) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, time);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
