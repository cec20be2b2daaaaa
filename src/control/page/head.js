// The head of the page: who is shown, whether it still answers, and what is in the way.

import { byId, say, set, show } from "./dom.js";
import { token } from "./door.js";
import { span } from "./format.js";

/**
 * @param {import("./source.js").Source} source
 * @param {{isPast: boolean, refusal: string | null}} now whether a moment before now is shown; why nothing can be done
 */
export function head(source, { isPast, refusal }) {
  const { connection, live, recording, served } = source;
  const { instance } = source.log;
  say(byId("program"), instance?.program ?? "latido");
  document.title = instance ? `${instance.program} · latido` : "latido";
  say(byId("whose"), whose(recording, instance));
  const [kind, words] = state(source, isPast);
  set(byId("connection"), "data-kind", kind);
  say(byId("connection-words"), words);
  show(byId("connection"), words !== "");
  show(byId("return"), recording !== null && !recording.isServed && token() !== null);
  say(byId("return"), `Back to ${served ?? "the program"}`);
  const mayBreak = live !== null && instance?.actions === true;
  show(byId("break"), mayBreak);
  show(byId("break-key"), mayBreak);
  byId("break").disabled = refusal !== null;
  show(byId("stranger"), recording === null && (live === null || connection.kind === "denied"));
  say(byId("stranger-why"), strangerWhy(source));
  const notice = live !== null && connection.kind === "lost" ? lost(connection) : source.problem;
  say(byId("notice"), notice);
  show(byId("notice"), notice !== "");
}

function whose(recording, instance) {
  if (recording !== null) return `a recording, ${recording.name}`;
  return instance ? `process ${instance.pid}, version ${instance.version}` : "";
}

/** A kind and words for it. */
function state({ connection, live, recording }, isPast) {
  if (recording !== null) return ["recording", "recording"];
  if (!live) return ["none", ""];
  switch (connection.kind) {
    case "live":
      return isPast ? ["past", "the past"] : ["live", "live"];
    case "reading":
      return ["connecting", "reading"];
    case "lost":
      return ["lost", connection.why ? "trying again" : "no answer, trying again"];
    case "denied":
      return ["lost", "needs a new link"];
    default:
      return ["connecting", "connecting"];
  }
}

function strangerWhy({ connection, live }) {
  if (!live) return "Only who can read this user's files may look in, so the address alone is not enough.";
  return connection.hadAnswer
    ? "The program was started again, and has a new token."
    : "The token that this page has is not that of the program that answers here; it may have been started again.";
}

function lost({ since, why }) {
  if (why) return `It cannot be shown: ${why}. The page tries again by itself.`;
  const time = span(Math.max(1, Math.floor((Date.now() - since) / 1000)));
  return `The program does not answer, since ${time}. What is shown is the last that was seen of it; the page goes on by itself when it is back.`;
}
