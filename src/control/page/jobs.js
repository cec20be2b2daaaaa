// The jobs of a run, stage by stage.

import { h, say, set, show } from "./dom.js";
import { bytes, count } from "./format.js";

const STAGES = [
  ["queued", "waiting", "stopped"],
  ["fetching", "fetching", "starting"],
  ["verifying", "verifying", "starting"],
  ["processing", "command", "starting"],
  ["done", "done", "running"],
  ["failed", "failed", "failed"],
];

export class JobsView {
  /** @param {Element} place */
  constructor(place) {
    this.place = place;
    this.stages = STAGES.map(([key, word, status]) => {
      const number = h("span", { class: "stage-number" });
      const fill = h("i");
      return {
        key,
        number,
        fill,
        element: h(
          "li",
          { class: "stage", "data-status": status, "data-stage": key },
          number,
          h("span", { class: "stage-word", text: word }),
          h("span", { class: "stage-bar", "aria-hidden": "true" }, fill),
        ),
      };
    });
    this.sum = h("p", { class: "muted jobs-sum" });
    place.append(
      h("h2", { text: "Jobs" }),
      h("ol", { class: "stages" }, ...this.stages.map((stage) => stage.element)),
      this.sum,
    );
  }

  /** @param {Record<string, number> | null} jobs */
  update(jobs) {
    const isKnown = typeof jobs?.total === "number";
    show(this.place, isKnown);
    if (!isKnown) return;
    for (const { key, number, fill, element } of this.stages) {
      const value = jobs[key] ?? 0;
      say(number, count(value));
      set(element, "data-empty", value === 0);
      fill.style.transform = `scaleX(${jobs.total > 0 ? value / jobs.total : 0})`;
    }
    say(this.sum, `${count(jobs.total)} jobs, ${bytes(jobs.bytes ?? 0)}`);
  }
}
