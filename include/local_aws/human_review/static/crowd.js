// Stand-ins for the crowd elements that AWS serves to its own worker portal only: crowd-form, crowd-button,
// crowd-image-classifier and the two kinds of instructions. They answer in the shape that A2I writes.
"use strict";

const task = JSON.parse(document.getElementById("local-aws-task")?.textContent ?? "null");

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

class CrowdImageClassifier extends HTMLElement {
  connectedCallback() {
    if (this.buttons) return;
    this.label = null;
    const categories = JSON.parse(this.getAttribute("categories") || "[]");
    this.buttons = categories.map((label, place) => {
      const key = place < 9 ? String(place + 1) : "";
      const button = make("button", { type: "button" }, make("kbd", { textContent: key }), " ", label);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => this.choose(label));
      return button;
    });
    this.error = make("div", { className: "error" });
    this.error.setAttribute("role", "alert");
    const picture = make("img", { src: this.getAttribute("src"), alt: "the image to classify" });
    picture.addEventListener("error", () => { this.error.textContent = "The image could not be loaded."; });
    this.prepend(
      make("h2", { textContent: this.getAttribute("header") ?? "" }),
      picture,
      make("div", { className: "categories" }, ...this.buttons),
      this.error,
    );
    this.categories = categories;
  }

  choose(label) {
    this.label = label;
    this.error.textContent = "";
    this.buttons.forEach((button, place) => {
      button.setAttribute("aria-pressed", String(this.categories[place] === label));
    });
  }

  press(digit) {
    if (digit <= this.categories.length) this.choose(this.categories[digit - 1]);
  }

  get answer() {
    return this.label === null ? null : { label: this.label };
  }

  complain() {
    this.error.textContent = "Choose a category first: click it, or press its number.";
  }
}

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
    if (!this.querySelector('crowd-button[form-action="submit"], button[type="submit"]')) {
      const button = make("button", { type: "button", className: "submit", textContent: "Submit (Enter)" });
      button.addEventListener("click", () => this.submit());
      this.append(button);
    }
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    const busy = event.target.closest?.("input, textarea, select, button, a, summary, crowd-button");
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.key === "Enter" && busy?.matches("crowd-button")) return busy.click();
    // Enter after a click on a category means submit, not the category again.
    if (busy && !busy.closest(".categories")) return;
    if (event.key >= "1" && event.key <= "9" && event.key.length === 1) {
      this.querySelector("crowd-image-classifier")?.press(Number(event.key));
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.submit();
    }
  }

  submit() {
    if (this.sent || !task) return;
    const unanswered = [...this.querySelectorAll("crowd-image-classifier")].find((one) => one.answer === null);
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
      if (element.matches("crowd-image-classifier")) found[name] = element.answer;
      else if (element.matches("input[type=radio], input[type=checkbox]")) {
        found[name] = { ...found[name], [element.value]: element.checked };
      } else if (element.matches("input, textarea, select")) found[name] = element.value;
    }
    return found;
  }
}

customElements.define("crowd-image-classifier", CrowdImageClassifier);
customElements.define("crowd-button", CrowdButton);
customElements.define("full-instructions", FullInstructions);
customElements.define("short-instructions", ShortInstructions);
customElements.define("crowd-form", CrowdForm);
