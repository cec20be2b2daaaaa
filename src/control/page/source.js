// Where what is shown comes from: a program that runs, a recording that is served in its place, or files of the user's.

import { Door } from "./door.js";
import { Live } from "./live.js";
import { Log } from "./log.js";
import { KEPT, read } from "./record.js";

export class Source {
  /**
   * @param {{begin: () => void, changed: () => void, event: (event: object) => void, say: (text: string) => void}} heard
   *   `begin`: what is shown from here on is something else
   */
  constructor(heard) {
    this.heard = heard;
    this.log = new Log();
    /** The program that is followed. @type {Live | null} */
    this.live = null;
    /** The recording that is shown. @type {{name: string, isServed: boolean} | null} */
    this.recording = null;
    /** The name of the recording that is served here, if no program is. @type {string | null} */
    this.served = null;
    /** What went wrong last, of what the user has asked for. */
    this.problem = "";
    /** @type {import("./live.js").Connection} */
    this.connection = { kind: "connecting" };
  }

  /** The last moment there is. */
  get end() {
    const isOn = this.live && (this.connection.kind === "live" || this.connection.kind === "connecting");
    return Math.max(isOn ? this.live.now() : 0, this.log.bounds?.to ?? 0);
  }

  /** Shows who answers to this token. @param {string} secret */
  connect(secret) {
    this.live?.close();
    this.#begin(new Log(), null);
    this.served = null;
    this.connection = { kind: "connecting" };
    this.live = new Live(new Door(secret), {
      anew: () => {
        if (this.log.instance) this.heard.say("The program was started again.");
        this.#begin(new Log(), null);
      },
      entry: (entry) => {
        const { log } = this;
        const isNew = log.instance !== null && log.trees.length > 0;
        log.add(entry);
        if (entry.event && isNew && entry.event.at > (log.trees[0]?.at ?? Infinity)) this.heard.event(entry.event);
        this.heard.changed();
      },
      recording: (name, stream) => {
        this.served = name;
        return this.#read(name, [stream], true);
      },
      connection: (now) => {
        if (now.kind === "live" && this.connection.kind === "lost") this.heard.say("Connected again.");
        if (now.kind === "lost" && this.connection.kind === "live") this.heard.say("The program does not answer.");
        this.connection = now;
        this.heard.changed();
      },
      seq: () => this.log.seq,
    });
    this.live.follow();
    this.heard.changed();
  }

  /** Shows what files have: of several, the parts of one recording, which was begun anew when a file was full. */
  async open(chosen) {
    const files = [...chosen].sort((one, other) => one.lastModified - other.lastModified);
    const file = files.at(-1);
    if (!file) return;
    try {
      const streams = files.map((part) => part.stream());
      await this.#read(file.name, streams, false);
    } catch (error) {
      this.problem = `${file.name} cannot be shown. ${error.message}`;
      this.heard.changed();
    }
  }

  /** Until all of it is read, what was there before is shown. */
  async #read(name, streams, isServed) {
    const { live } = this;
    const log = new Log(KEPT);
    for (const stream of streams) await read(stream, log);
    if (this.live !== live) return; // the user has gone on to something else
    live?.close();
    this.live = null;
    this.#begin(log, { name, isServed });
    this.heard.say(`The recording ${name} is shown.`);
    this.heard.changed();
  }

  #begin(log, recording) {
    this.log = log;
    this.recording = recording;
    this.problem = "";
    this.heard.begin();
  }
}
