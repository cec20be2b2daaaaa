// The page: a log that is filled by its source, a moment, and views that show the log at that moment.

import { Charts } from "./charts.js";
import { byId, say, set, show } from "./dom.js";
import { Refused, token, tokenOf } from "./door.js";
import { FAULTS } from "./faults.js";
import { short } from "./format.js";
import { HappeningsView } from "./happenings.js";
import { head } from "./head.js";
import { IncidentsView } from "./incidents.js";
import { JobsView } from "./jobs.js";
import { PartView } from "./part.js";
import { incidentsAt, pictureAt } from "./picture.js";
import { Source } from "./source.js";
import { Speaker } from "./speak.js";
import { Timeline } from "./timeline.js";
import { TreeView } from "./tree.js";
import { verdict } from "./verdict.js";

const TICK = 250;

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
const source = new Source({
  begin,
  changed: schedule,
  event: (event) => speaker.hear(event),
  say: (text) => speaker.say(text),
});
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

/** Shows something else from here on; a recording from its beginning. */
function begin() {
  told.clear();
  cursor = frozen = null;
  plays = false;
  incidents.opened.clear();
  happenings.seen = null;
  if (source.recording === null) return;
  timeline.range.value = "all";
  cursor = source.log.bounds.from;
}

// ===== what the user does =====

function select(path) {
  selected = path;
  schedule();
}

/** @param {number | null} at */
function goTo(at) {
  if (at !== null && cursor === null && source.live) frozen = source.live.now();
  cursor = at;
  if (at === null) {
    frozen = null;
    plays = false;
  }
  schedule();
}

function play() {
  plays = !plays;
  if (plays && cursor === null && !source.live) cursor = source.log.bounds.from;
  let last = performance.now();
  const step = (time) => {
    if (!plays || cursor === null) return;
    // What goes on meanwhile is caught up with.
    const at = cursor + ((time - last) / 1000) * (source.live ? 2 : 1);
    last = time;
    if (frozen !== null) frozen = Math.max(frozen, at);
    goTo(at >= source.end ? null : at);
    requestAnimationFrame(step);
  };
  if (plays) requestAnimationFrame(step);
  schedule();
}

async function act(action, body, said) {
  try {
    await source.live.door.post(`/v1/${action}`, body);
    return said;
  } catch (error) {
    if (error instanceof Refused) return `Not done: ${error.message}.`;
    return "Not done: the program does not answer.";
  } finally {
    source.live?.soon();
  }
}

/** What can be put into a part: what the door has said, which is asked for once. */
function faults({ path, paused }) {
  const { connection, live } = source;
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
  const picture = pictureAt(source.log, source.end);
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

/** Why nothing can be done to parts, or null if it can. */
function refusal() {
  const { connection, log, recording } = source;
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
  const cannot = refusal();
  head(source, { isPast: cursor !== null, refusal: cannot });
  const { live, log } = source;
  const { bounds } = log;
  const at = cursor ?? source.end;
  const picture = log.trees.length > 0 ? pictureAt(log, at) : null;
  const isThere = picture !== null && picture.parts.size > 0;
  show(byId("main"), isThere);
  if (!isThere) return;
  const to = frozen ?? source.end;
  const seconds = timeline.seconds;
  let from = seconds === null ? bounds.from : to - seconds;
  if (at < from) from = at;
  const time = { from, to: Math.max(to, from + 1), at, isNow: cursor === null, isLive: live !== null, plays };
  if (!picture.parts.has(selected)) selected = picture.parts.keys().next().value;
  tree.update(picture, selected);
  const shown = picture.parts.get(selected);
  part.update(shown, at, cannot, faults(shown));
  const stories = incidentsAt(log, at);
  incidents.update(stories, at, selected, cannot === null);
  charts.update(log, selected, time);
  jobs.update(picture.jobs);
  happenings.update(log, at);
  timeline.update(log, time);
  verdict(log, picture, time, stories[0]);
  say(byId("charts-of"), selected.includes("/") ? `of ${short(selected)} and all beneath it` : "of the whole program");
  set(document.body, "data-past", cursor !== null);
}

// ===== from here on =====

byId("break").addEventListener("click", () => breakIt(selected));
byId("why").addEventListener("click", () => incidents.openLast());
byId("reports").addEventListener("change", schedule);
byId("return").addEventListener("click", () => source.connect(token()));
byId("open").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", ({ target }) => {
  source.open(target.files).finally(() => (target.value = ""));
});
byId("stranger-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const secret = tokenOf(byId("stranger-link").value);
  say(byId("stranger-wrong"), secret ? "" : "This has no token: it ends with #token= and 32 letters and digits.");
  if (!secret) return;
  sessionStorage.setItem("token", secret);
  source.connect(secret);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    set(document.body, "data-drop", kind === "dragover");
    if (kind === "drop") source.open(event.dataTransfer.files);
  });
}
addEventListener("hashchange", () => {
  const secret = token();
  if (secret) source.connect(secret);
});
setInterval(() => {
  if (!document.hidden && source.live) schedule();
}, TICK);

const secret = token();
if (secret) source.connect(secret);
else render();
