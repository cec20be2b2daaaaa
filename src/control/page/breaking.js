// Choosing a fault: a button for the usual ones, and a line for any, with a rule for when it strikes.

import { h, keyed, say, set, show } from "./dom.js";
import { FAULTS, buttons, typed } from "./faults.js";

export class Breaking {
  /** @param {(fault: string, name: string) => void} inject */
  constructor(inject) {
    this.inject = inject;
    this.known = FAULTS;
    this.row = h("div", { class: "faults", role: "group", "aria-label": "Break it" });
    this.more = h("button", {
      type: "button",
      class: "quiet",
      text: "Other…",
      "aria-expanded": "false",
      "aria-controls": "other-fault",
    });
    this.more.addEventListener("click", () => this.#open(this.form.hidden));
    this.choice = h("select", { "aria-label": "Which fault", onchange: () => this.#chosen() });
    this.text = h("input", { "aria-label": "The fault as it is typed", autocomplete: "off", spellcheck: "false" });
    this.says = h("p", { class: "muted says" });
    this.form = h(
      "form",
      { class: "other-fault", id: "other-fault", hidden: true },
      h(
        "div",
        { class: "field" },
        this.choice,
        this.text,
        h("button", { type: "submit", class: "fault", text: "Put in" }),
      ),
      this.says,
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const fault = this.text.value.trim();
      if (fault) this.inject(fault, fault);
    });
    this.element = h("div", { class: "breaking" }, h("div", { class: "faults" }, this.row, this.more), this.form);
  }

  /** @param {import("./faults.js").Fault[]} known @param {string[]} own those of the part's own */
  update(known, own) {
    this.known = known;
    keyed(
      this.row,
      buttons(known, own),
      (one) => one.fault,
      ({ fault, name, says }) =>
        h("button", {
          type: "button",
          class: "fault",
          title: says,
          "data-fault": fault,
          text: name,
          onclick: () => this.inject(fault, name),
        }),
      () => {},
    );
    const seen = known.map((one) => one.usage).join();
    if (this.seen === seen) return;
    this.seen = seen;
    this.choice.replaceChildren(...known.map(({ usage }) => h("option", { value: usage, text: usage })));
    this.#chosen();
  }

  #open(isOpen) {
    show(this.form, isOpen);
    set(this.more, "aria-expanded", String(isOpen));
    if (isOpen) this.choice.focus();
  }

  #chosen() {
    const fault = this.known.find((one) => one.usage === this.choice.value) ?? this.known[0];
    this.text.value = typed(fault);
    say(
      this.says,
      `${fault.says[0].toUpperCase()}${fault.says.slice(1)}. With @3 behind it, at the third message from now on.`,
    );
  }
}
