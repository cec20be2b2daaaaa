// A recording: a file with an entry in each line, as `--record` writes it.

import { lines } from "./door.js";

/**
 * Reads all of it into a log.
 * @param {ReadableStream<Uint8Array>} stream @param {import("./log.js").Log} log
 */
export async function read(stream, log) {
  try {
    for await (const entry of lines(stream)) log.add(entry);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error("It is not a recording: a line of it is no JSON.");
    throw error;
  }
  if (!log.bounds) throw new Error("It is not a recording: it has no tree and no event.");
}
