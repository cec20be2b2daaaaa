// What the charts show: numbers over time, of a part and all that is beneath it.

import { firstAfter, sortOf } from "./log.js";

const isBelow = (path, top) => path === top || path.startsWith(`${top}/`);

/** Sums that were made already, by tree and part. */
const known = new WeakMap();

function sums(tree, top) {
  let ofTree = known.get(tree);
  if (!ofTree) known.set(tree, (ofTree = new Map()));
  let sum = ofTree.get(top);
  if (!sum) {
    sum = { handled: 0, queued: 0 };
    for (const child of tree.children) {
      if (!isBelow(child.path, top)) continue;
      sum.handled += child.messages.handled;
      sum.queued += child.messages.queued;
    }
    if (ofTree.size > 8) ofTree.clear();
    ofTree.set(top, sum);
  }
  return sum;
}

function treesBetween(log, from, to) {
  const first = Math.max(0, firstAfter(log.trees, (tree) => tree.at > from) - 1);
  return log.trees.slice(
    first,
    firstAfter(log.trees, (tree) => tree.at > to),
  );
}

/** Messages that were handled a second. @returns {{at: number, value: number}[]} */
export function throughput(log, top, from, to) {
  const points = [];
  let last = null;
  for (const tree of treesBetween(log, from - 1, to)) {
    if (last && tree.at - last.at < 0.7) continue; // two looks in short order say little
    const handled = sums(tree, top).handled;
    if (last) points.push({ at: tree.at, value: Math.max(0, handled - sums(last, top).handled) / (tree.at - last.at) });
    last = tree;
  }
  return points;
}

/** Messages that wait. @returns {{at: number, value: number}[]} */
export function depth(log, top, from, to) {
  return treesBetween(log, from, to).map((tree) => ({ at: tree.at, value: sums(tree, top).queued }));
}

/** Restarts in each of `slots` equal times. @returns {{at: number, value: number}[]} */
export function restarts(log, top, from, to, slots) {
  const width = (to - from) / slots;
  // Slots stand still while time goes on.
  const first = Math.floor(from / width);
  const bars = Array.from({ length: slots + 1 }, (_, i) => ({ at: (first + i) * width, value: 0 }));
  for (let i = firstAfter(log.events, (event) => event.at >= from); i < log.events.length; i += 1) {
    const event = log.events[i];
    if (event.at > to) break;
    if (sortOf(event) === "restarted" && isBelow(event.path, top)) {
      const bar = bars[Math.floor(event.at / width) - first];
      if (bar) bar.value += 1;
    }
  }
  return bars;
}

/** The value at a moment: that of the last point before it. */
export function valueAt(points, at) {
  return points[firstAfter(points, (point) => point.at > at) - 1]?.value ?? null;
}

/** A round number that is not below `value`, for the top of an axis. */
export function ceiling(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].find((step) => step * power >= value) * power;
}
