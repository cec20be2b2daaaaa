// The page: a log that a door or a recording fills, a moment, and views that show the log at that moment.

import { Charts } from "./charts.js";
import { byId, say, set, show } from "./dom.js";
import { Door, Refused, token, tokenOf } from "./door.js";
import { FAULTS } from "./faults.js";
import { short, span } from "./format.js";
import { HappeningsView } from "./happenings.js";
import { IncidentsView } from "./incidents.js";
import { JobsView } from "./jobs.js";
import { Live } from "./live.js";
import { Log } from "./log.js";
import { PartView } from "./part.js";
import { incidentsAt, pictureAt } from "./picture.js";
import { read } from "./record.js";
import { Speaker } from "./speak.js";
import { Timeline } from "./timeline.js";
import { TreeView } from "./tree.js";
import { verdict } from "./verdict.js";

const TICK = 250;

let log = new Log();
/** @type {Live | null} */
let live = null;
let recording = null;
/** What went wrong last, of what the user has asked for. */
let problem = "";
let connection = { kind: "connecting" };
/** The moment that is shown; null for now, or the end of a recording. */
let cursor = null;
/** While the past is shown, time stands still at its right end. */
let frozen = null;
let plays = false;
let selected = null;
/** What the door says can be put into parts, by their paths. @type {Map<string, import("./faults.js").Fault[]>} */
const told = new Map();
let scheduled = false;

const speaker = new Speaker();
const tree = new TreeView(byId("tree"), { select, breakIt });
const part = new PartView(byId("part"), { act });
const incidents = new IncidentsView(byId("incidents"), byId("incidents-count"), { select, goTo });
const charts = new Charts(byId("charts"), { goTo });
const jobs = new JobsView(byId("jobs"));
const happenings = new HappeningsView(byId("events"), byId("reports"), {
  goTo: (at, path) => {
    select(path);
    goTo(at);
  },
});
const timeline = new Timeline(byId("timeline"), { goTo, play, range: () => goTo(cursor) });

// ===== where it comes from =====

function connect(secret) {
  live?.close();
  recording = null;
  log = new Log();
  begin();
  live = new Live(new Door(secret), {
    anew: () => {
      if (log.instance) speaker.say("The program was started again.");
      log = new Log();
      begin();
    },
    entry: (entry) => {
      const isNew = log.instance !== null && log.trees.length > 0;
      log.add(entry);
      if (entry.event && isNew && entry.event.at > (log.trees[0]?.at ?? Infinity)) speaker.hear(entry.event);
      schedule();
    },
    connection: (now) => {
      if (now.kind === "live" && connection.kind === "lost") speaker.say("Connected again.");
      if (now.kind === "lost" && connection.kind === "live") speaker.say("The program does not answer.");
      connection = now;
      schedule();
    },
    seq: () => log.seq,
  });
  connection = { kind: "connecting" };
  live.follow();
  schedule();
}

/** Shows what files have: of several, the parts of one recording, which was begun anew when a file was full. */
async function openRecording(chosen) {
  const files = [...chosen].sort((one, other) => one.lastModified - other.lastModified);
  const file = files.at(-1);
  if (!file) return;
  const opened = new Log();
  try {
    for (const part of files) await read(part.stream(), opened);
  } catch (error) {
    problem = `${file.name} cannot be shown. ${error.message}`;
    schedule();
    return;
  }
  live?.close();
  live = null;
  recording = file.name;
  log = opened;
  begin();
  const { from } = log.bounds;
  timeline.range.value = "all";
  cursor = from;
  frozen = null;
  speaker.say(`The recording ${file.name} is shown.`);
  schedule();
}

/** Shows another log from here on. */
function begin() {
  told.clear();
  problem = "";
  cursor = frozen = null;
  plays = false;
  incidents.opened.clear();
  happenings.seen = null;
}

// ===== what the user does =====

function select(path) {
  selected = path;
  schedule();
}

/** @param {number | null} at */
function goTo(at) {
  if (at !== null && cursor === null && live) frozen = live.now();
  cursor = at;
  if (at === null) {
    frozen = null;
    plays = false;
  }
  schedule();
}

function play() {
  plays = !plays;
  if (plays && cursor === null && !live) cursor = log.bounds.from;
  let last = performance.now();
  const step = (time) => {
    if (!plays || cursor === null) return;
    // What goes on meanwhile is caught up with.
    const at = cursor + ((time - last) / 1000) * (live ? 2 : 1);
    last = time;
    if (frozen !== null) frozen = Math.max(frozen, at);
    goTo(at >= end() ? null : at);
    requestAnimationFrame(step);
  };
  if (plays) requestAnimationFrame(step);
  schedule();
}

async function act(action, body, said) {
  try {
    await live.door.post(`/v1/${action}`, body);
    return said;
  } catch (error) {
    if (error instanceof Refused) return `Not done: ${error.message}.`;
    return "Not done: the program does not answer.";
  } finally {
    live?.soon();
  }
}

/** What can be put into a part: what the door has said, which is asked for once. */
function faults({ path, paused }) {
  const known = told.get(path);
  if (known || !live || connection.kind !== "live" || paused === null) return known ?? FAULTS;
  told.set(path, FAULTS);
  live.door
    .get(`/v1/faults?path=${encodeURIComponent(path)}`)
    .then((faults) => {
      told.set(path, faults);
      schedule();
    })
    .catch(() => {}); // it may be gone
  return FAULTS;
}

/** Breaks what is chosen, or else any part that runs. */
function breakIt(path) {
  if (refusal() !== null) return;
  const picture = pictureAt(log, end());
  let chosen = picture.parts.get(path);
  if (!chosen || chosen.supervisor || chosen.status !== "running") {
    const below = chosen?.supervisor ? `${path}/` : "";
    const able = [...picture.parts.values()].filter(
      (one) => !one.supervisor && one.status === "running" && one.path.startsWith(below),
    );
    chosen = able[Math.floor(Math.random() * able.length)];
  }
  if (!chosen) return;
  select(chosen.path);
  render();
  part.inject("panic", "Panic");
}

// ===== what is shown =====

const end = () =>
  Math.max(
    live ? (connection.kind === "live" || connection.kind === "connecting" ? live.now() : 0) : 0,
    log.bounds?.to ?? 0,
  );

/** Why nothing can be done to parts, or null if it can. */
function refusal() {
  if (recording !== null) return "This is a recording: nothing can be done to its parts.";
  if (connection.kind !== "live") return "The program does not answer, so nothing can be done to its parts.";
  if (!log.instance.actions) {
    return "This program lets you look, not act. Started with --allow-actions, it lets its parts be broken, restarted and stopped from here.";
  }
  if (cursor !== null) return "You look at the past. Go back to now to break, restart or stop this part.";
  return null;
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    render();
  });
}

function render() {
  renderHead();
  const bounds = log.bounds;
  show(byId("main"), bounds !== null && log.trees.length > 0);
  if (!bounds || log.trees.length === 0) return;
  const to = frozen ?? end();
  const at = cursor ?? end();
  const seconds = timeline.seconds;
  let from = seconds === null ? bounds.from : to - seconds;
  if (at < from) from = at;
  const time = { from, to: Math.max(to, from + 1), at, isNow: cursor === null, isLive: live !== null, plays };
  const picture = pictureAt(log, at);
  if (!picture.parts.has(selected)) selected = picture.parts.keys().next().value;
  tree.update(picture, selected);
  const shown = picture.parts.get(selected);
  part.update(shown, at, refusal(), faults(shown));
  const failures = incidentsAt(log, at);
  incidents.update(failures, at, selected);
  charts.update(log, selected, time);
  jobs.update(picture.jobs);
  happenings.update(log, at);
  timeline.update(log, time);
  verdict(log, picture, time, failures[0]);
  say(byId("charts-of"), selected.includes("/") ? `of ${short(selected)} and all beneath it` : "of the whole program");
  set(document.body, "data-past", cursor !== null);
}

function renderHead() {
  const { instance } = log;
  say(byId("program"), instance?.program ?? "latido");
  document.title = instance ? `${instance.program} · latido` : "latido";
  say(
    byId("whose"),
    recording !== null
      ? `a recording, ${recording}`
      : instance
        ? `process ${instance.pid}, version ${instance.version}`
        : "",
  );
  const [kind, words] = connectionWords();
  set(byId("connection"), "data-kind", kind);
  say(byId("connection-words"), words);
  show(byId("connection"), words !== "");
  show(byId("return"), recording !== null && token() !== null);
  show(byId("break"), live !== null && instance?.actions === true);
  byId("break").disabled = refusal() !== null;
  const isStranger = recording === null && (live === null || connection.kind === "denied");
  show(byId("stranger"), isStranger);
  if (live)
    say(
      byId("stranger-why"),
      connection.hadAnswer
        ? "The program was started again, and has a new token."
        : "The token that this page has is not that of the program that answers here; it may have been started again.",
    );
  else
    say(byId("stranger-why"), "Only who can read this user's files may look in, so the address alone is not enough.");
  notice(live !== null && connection.kind === "lost" ? lost() : problem);
}

function lost() {
  const since = span(Math.floor((Date.now() - connection.since) / 1000));
  return `The program does not answer, since ${since}. What is shown is the last that was seen of it; the page goes on by itself when it is back.`;
}

function connectionWords() {
  if (recording !== null) return ["recording", "recording"];
  if (!live) return ["none", ""];
  switch (connection.kind) {
    case "live":
      return cursor === null ? ["live", "live"] : ["past", "the past"];
    case "lost":
      return ["lost", "no answer, trying again"];
    case "denied":
      return ["lost", "needs a new link"];
    default:
      return ["connecting", "connecting"];
  }
}

function notice(text) {
  say(byId("notice"), text);
  show(byId("notice"), text !== "");
}

// ===== from here on =====

byId("break").addEventListener("click", () => breakIt(selected));
byId("reports").addEventListener("change", schedule);
byId("return").addEventListener("click", () => connect(token()));
byId("open").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", ({ target }) => {
  openRecording(target.files).finally(() => (target.value = ""));
});
byId("stranger-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const secret = tokenOf(byId("stranger-link").value);
  say(byId("stranger-wrong"), secret ? "" : "This has no token: it ends with #token= and 32 letters and digits.");
  if (!secret) return;
  sessionStorage.setItem("token", secret);
  connect(secret);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    set(document.body, "data-drop", kind === "dragover");
    if (kind === "drop") openRecording(event.dataTransfer.files);
  });
}
addEventListener("hashchange", () => {
  const secret = token();
  if (secret) connect(secret);
});
setInterval(() => {
  if (!document.hidden && live) schedule();
}, TICK);

const secret = token();
if (secret) connect(secret);
else render();
