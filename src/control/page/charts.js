// Three small charts over the time that the timeline shows, each with the same moment marked.

import { h, s, say, set } from "./dom.js";
import { clock, count, rate } from "./format.js";
import { ceiling, depth, restarts, throughput, valueAt } from "./series.js";

const [WIDTH, HEIGHT] = [1000, 100];
const SLOTS = 60;

/** What there is to see: how it is called, measured, and said. */
const KINDS = [
  { id: "throughput", title: "Messages handled", of: throughput, words: rate, form: "line" },
  {
    id: "restarts",
    title: "Restarts",
    of: (log, top, from, to) => restarts(log, top, from, to, SLOTS),
    words: count,
    form: "bars",
  },
  { id: "depth", title: "Messages waiting", of: depth, words: count, form: "line" },
];

export class Charts {
  /** @param {Element} place @param {{goTo: (at: number) => void}} heard */
  constructor(place, heard) {
    this.charts = KINDS.map((kind) => make(kind, heard));
    place.append(...this.charts.map((chart) => chart.figure));
  }

  /** @param {import("./log.js").Log} log @param {string} top @param {{from: number, to: number, at: number}} time */
  update(log, top, { from, to, at }) {
    for (const chart of this.charts) {
      chart.window = { from, to };
      const points = chart.kind.of(log, top, from, to);
      const most = ceiling(Math.max(0, ...points.map((point) => point.value)));
      const x = (t) => (((t - from) / (to - from)) * WIDTH).toFixed(1);
      const y = (value) => (HEIGHT - (value / most) * (HEIGHT - 4)).toFixed(1);
      if (chart.kind.form === "bars") set(chart.area, "d", bars(points, x, y, (to - from) / SLOTS));
      else {
        const line = points.map((point) => `${x(point.at)} ${y(point.value)}`).join("L");
        set(chart.line, "d", line ? `M${line}` : "");
        const [first, last] = [points[0], points.at(-1)];
        set(chart.area, "d", line ? `M${x(first.at)} ${HEIGHT}L${line}L${x(last.at)} ${HEIGHT}Z` : "");
      }
      set(chart.cursor, "x1", x(at));
      set(chart.cursor, "x2", x(at));
      const value =
        chart.kind.form === "bars"
          ? points.reduce((sum, bar) => sum + (bar.at <= at ? bar.value : 0), 0)
          : valueAt(points, at);
      const words = value === null ? "–" : chart.kind.words(value);
      say(chart.value, words);
      say(chart.most, chart.kind.words(most));
      say(chart.begin, clock(from));
      say(chart.end, clock(to));
      set(
        chart.svg,
        "aria-label",
        `${chart.kind.title}: ${words}; between ${clock(from)} and ${clock(to)} no more than ${chart.kind.words(most)}`,
      );
    }
  }
}

function make(kind, heard) {
  const chart = {
    kind,
    value: h("span", { class: "chart-value" }),
    most: h("span", { class: "chart-most muted", "aria-hidden": "true" }),
    begin: h("span"),
    end: h("span"),
    line: s("path", { class: "chart-line" }),
    area: s("path", { class: kind.form === "bars" ? "chart-bars" : "chart-area" }),
    cursor: s("line", { class: "chart-cursor", y1: 0, y2: HEIGHT }),
    window: { from: 0, to: 1 },
  };
  chart.svg = s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    s("line", { class: "chart-base", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }),
    chart.area,
    chart.line,
    chart.cursor,
  );
  const head = h(
    "figcaption",
    {},
    h("span", { text: kind.form === "bars" ? `${kind.title} in view` : kind.title }),
    chart.value,
  );
  const plot = h("div", { class: "plot" }, chart.most, chart.svg);
  plot.addEventListener("click", (event) => {
    const box = plot.getBoundingClientRect();
    const { from, to } = chart.window;
    heard.goTo(from + ((event.clientX - box.left) / box.width) * (to - from));
  });
  chart.figure = h(
    "figure",
    { class: `chart of-${kind.id}` },
    head,
    plot,
    h("p", { class: "axis muted", "aria-hidden": "true" }, chart.begin, chart.end),
  );
  return chart;
}

function bars(points, x, y, width) {
  const shown = points.filter((point) => point.value > 0);
  return shown
    .map(
      (point) => `M${x(point.at + width * 0.12)} ${HEIGHT}V${y(point.value)}H${x(point.at + width * 0.88)}V${HEIGHT}Z`,
    )
    .join("");
}
