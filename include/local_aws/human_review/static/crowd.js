// Stand-ins for the crowd elements that AWS serves to its own worker portal only. They answer in the shape that A2I writes.
// Here are the form, its button and the two kinds of instructions; choices.js and boxes.js have what asks for an answer.
import { CrowdImageClassifier, CrowdImageClassifierMultiSelect } from "./choices.js";
import { make } from "./parts.js";

// Only a page with boxes waits for the annotator.
if (document.querySelector("crowd-bounding-box")) {
  const { CrowdBoundingBox } = await import("./boxes.js");
  customElements.define("crowd-bounding-box", CrowdBoundingBox);
}

const task = JSON.parse(document.getElementById("local-aws-task")?.textContent ?? "null");
const WIDGETS = "crowd-image-classifier, crowd-image-classifier-multi-select, crowd-bounding-box";

class CrowdButton extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "button");
    this.tabIndex = 0;
    if (this.getAttribute("form-action") === "submit") {
      this.addEventListener("click", () => this.closest("crowd-form")?.submit());
    }
  }
}

class FullInstructions extends HTMLElement {
  connectedCallback() {
    if (this.querySelector(":scope > details")) return;
    const summary = make("summary", { textContent: this.getAttribute("header") || "Instructions" });
    this.replaceChildren(make("details", {}, summary, ...this.childNodes));
  }
}

class ShortInstructions extends HTMLElement {}

class CrowdForm extends HTMLElement {
  connectedCallback() {
    if (this.ready) return;
    this.ready = true;
    for (const name of new Set([...this.querySelectorAll("*")].map((element) => element.localName))) {
      if (!name.startsWith("crowd-") || customElements.get(name)) continue;
      const text = `The element ${name} is not there in local AWS: use ${WIDGETS} or plain inputs.`;
      this.prepend(make("p", { className: "error", role: "alert", textContent: text }));
    }
    if (!this.querySelector('crowd-button[form-action="submit"], button[type="submit"]')) this.addSubmit();
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  addSubmit() {
    const button = make("button", { type: "button", className: "submit", textContent: "Submit (Enter)" });
    button.addEventListener("click", () => this.submit());
    const choices = this.querySelectorAll(".choice");
    (choices.length === 1 ? choices[0] : this).append(button);
    // A widget whose empty answer means something says on the button what would be sent.
    const summarize = () => {
      const summaries = this.widgets.map((widget) => widget.summary).filter(Boolean);
      if (summaries.length) button.textContent = `Submit: ${summaries.join(", ")} (Enter)`;
    };
    this.addEventListener("summary", summarize);
    summarize();
  }

  get widgets() {
    return [...this.querySelectorAll(WIDGETS)];
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const on = event.target.closest?.("input, textarea, select, button, a, summary, crowd-button");
    if (on?.matches("input, textarea, select")) return;
    if (event.key !== "Enter") return this.widgets[0]?.press(event);
    if (event.repeat) return;
    if (on?.matches("crowd-button")) return on.click();
    // Enter after a click on a category means submit, not the category again.
    if (on && !on.closest(".categories")) return;
    event.preventDefault();
    this.submit();
  }

  submit() {
    if (this.sent || !task) return;
    const unanswered = this.widgets.find((one) => one.answer === null);
    if (unanswered) return unanswered.complain();
    if (!this.dispatchEvent(new Event("submit", { cancelable: true }))) return;
    this.sent = true;
    const form = make("form", { method: "post", action: "/_local_aws/work/task", hidden: true });
    for (const [name, value] of Object.entries({ ...task, answer: JSON.stringify(this.answers()) })) {
      form.append(make("input", { type: "hidden", name, value }));
    }
    document.body.append(form);
    form.submit();
  }

  answers() {
    const found = {};
    for (const element of this.querySelectorAll("[name]")) {
      const name = element.getAttribute("name");
      if (element.matches(WIDGETS)) found[name] = element.answer;
      else if (element.matches("input[type=radio], input[type=checkbox]")) {
        found[name] = { ...found[name], [element.value]: element.checked };
      } else if (element.matches("input, textarea, select")) found[name] = element.value;
    }
    return found;
  }
}

customElements.define("crowd-image-classifier", CrowdImageClassifier);
customElements.define("crowd-image-classifier-multi-select", CrowdImageClassifierMultiSelect);
customElements.define("crowd-button", CrowdButton);
customElements.define("full-instructions", FullInstructions);
customElements.define("short-instructions", ShortInstructions);
customElements.define("crowd-form", CrowdForm);
