// Which rows of the tree are shown: a large group stands for itself, but for those of it that are in trouble.

import { parentOf } from "./format.js";

/** A group of more than this is folded. */
export const LARGE = 24;
/** So many of a folded group are shown if there is something to say of them. */
const SHOWN = 8;
/** The worst first. */
const WORST = { failed: 0, restarting: 1, stopping: 2, starting: 3, stopped: 4 };

/**
 * @param {Map<string, import("./picture.js").Part>} parts parents before children
 * @param {Map<string, boolean>} opened what the user has opened and closed
 * @param {string | null} selected
 * @returns {({path: string, part: object, level: number, position: number, size: number, opened: boolean | null} |
 *   {path: string, rest: object, level: number, position: number, size: number})[]}
 */
export function rowsOf(parts, opened, selected) {
  const children = new Map();
  let root = null;
  for (const part of parts.values()) {
    const parent = parentOf(part.path);
    if (!parts.has(parent)) root ??= part;
    else if (children.has(parent)) children.get(parent).push(part);
    else children.set(parent, [part]);
  }
  const rows = [];
  const visit = (part, position, size) => {
    const below = children.get(part.path) ?? [];
    const isOpen = opened.get(part.path) ?? true;
    rows.push({ path: part.path, part, level: part.depth + 1, position, size, opened: below.length ? isOpen : null });
    if (!below.length || !isOpen) return;
    const all = opened.get(`${part.path}/*`) ?? below.length <= LARGE;
    const shown = all ? below : loudest(below, selected);
    // The row that stands for the others, or folds them again, counts as one of the group.
    const extra = below.length > LARGE ? 1 : 0;
    shown.forEach((child, i) => visit(child, i + 1, shown.length + extra));
    if (extra) {
      const rest = all ? { folded: 0, of: below.length } : summary(below, shown);
      rows.push({
        path: `${part.path}/*`,
        rest,
        level: part.depth + 2,
        position: shown.length + 1,
        size: shown.length + 1,
      });
    }
  };
  if (root) visit(root, 1, 1);
  return rows;
}

function loudest(below, selected) {
  const wanted = below.filter((part) => part.path === selected || selected?.startsWith(`${part.path}/`));
  const loud = below.filter(
    (part) => !wanted.includes(part) && (part.status !== "running" || part.mark || part.supervisor),
  );
  const rank = (part) => WORST[part.status] ?? 9;
  const chosen = new Set([...wanted, ...loud.sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN)]);
  return below.filter((part) => chosen.has(part));
}

function summary(below, shown) {
  const seen = new Set(shown);
  const states = [];
  const rest = { folded: 0, of: below.length, handled: 0, rate: 0, states };
  for (const part of below) {
    states.push(part.status);
    if (seen.has(part)) continue;
    rest.folded += 1;
    rest[part.status] = (rest[part.status] ?? 0) + 1;
  }
  return rest;
}
