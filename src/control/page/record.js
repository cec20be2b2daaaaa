// A recording: lines with an entry in each, as `--record` writes them.

import { lines } from "./door.js";

/** How much is kept of one: more than its two files have room for. */
export const KEPT = { events: 500_000, children: 1_000_000, incidents: 100_000, extras: 500_000 };

/** What was read is none. */
export class NoRecording extends Error {}

/**
 * Reads all of it into a log.
 * @param {ReadableStream<Uint8Array>} stream @param {import("./log.js").Log} log
 */
export async function read(stream, log) {
  try {
    for await (const entry of lines(stream)) log.add(entry);
  } catch (error) {
    if (error instanceof SyntaxError) throw new NoRecording("It is not a recording: a line of it is no JSON.");
    throw error;
  }
  if (!log.bounds) throw new NoRecording("It is not a recording: it has no tree and no event.");
}
