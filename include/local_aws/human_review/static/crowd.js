// Stand-ins for the crowd elements that AWS serves to its own worker portal only: crowd-form, crowd-button,
// crowd-image-classifier and the two kinds of instructions. They answer in the shape that A2I writes.
"use strict";

const task = JSON.parse(document.getElementById("local-aws-task")?.textContent ?? "null");

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const SMALL_PIXELS = 256;
const KEYS = [..."1234567890abcdefghijklmnopqrstuvwxyz"];

// A category that is named like a key gets that key: who sees a 7 presses 7, wherever it stands among the categories.
function keysOf(categories) {
  const names = categories.map((label) => String(label).toLowerCase());
  const free = KEYS.filter((key) => !names.includes(key));
  return names.map((name, place) => {
    const own = KEYS.includes(name) && names.indexOf(name) === place;
    return own ? name : free.shift() ?? "";
  });
}

// AWS's own pages write lists as JavaScript does, ['Cat', 'Dog']: JSON, or the same with single quotes, as in attributes.py.
function readList(text) {
  const json = text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs, (quoted) => {
    if (quoted.startsWith('"')) return quoted;
    const inner = quoted.slice(1, -1).replace(/\\.|"/gs, (special) => ({ "\\'": "'", '"': '\\"' })[special] ?? special);
    return `"${inner}"`;
  });
  const found = JSON.parse(json);
  if (!Array.isArray(found)) throw new SyntaxError("it is not a list");
  return found.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
}

class CrowdImageClassifier extends HTMLElement {
  connectedCallback() {
    if (this.buttons) return;
    this.label = null;
    const [categories, trouble] = this.readCategories();
    this.keys = keysOf(categories);
    this.buttons = categories.map((label, place) => {
      const key = make("kbd", { textContent: this.keys[place] });
      const button = make("button", { type: "button" }, key, make("span", { textContent: label }));
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => this.choose(label));
      return button;
    });
    this.error = make("div", { className: "error" });
    this.error.setAttribute("role", "alert");
    this.error.textContent = trouble;
    const picture = make("img", { src: this.getAttribute("src"), alt: "the image to classify" });
    picture.addEventListener("load", () => {
      picture.classList.toggle("small", Math.max(picture.naturalWidth, picture.naturalHeight) <= SMALL_PIXELS);
    });
    picture.addEventListener("error", () => { this.error.textContent = "The image could not be loaded."; });
    const hint = make("p", { className: "hint", textContent: "Press the key of a category or click it, then Enter." });
    this.prepend(
      make("h2", { textContent: this.getAttribute("header") ?? "" }),
      picture,
      make("div", { className: "choice" }, make("div", { className: "categories" }, ...this.buttons), hint, this.error),
    );
    this.categories = categories;
  }

  readCategories() {
    if (!this.getAttribute("name")) return [[], "The template's crowd-image-classifier has no name, so it has no answer."];
    const text = this.getAttribute("categories") || "[]";
    try {
      return [readList(text), ""];
    } catch (error) {
      return [[], `The template's categories cannot be read: ${text} (${error.message}). Write them as ["a", "b"].`];
    }
  }

  choose(label) {
    this.label = label;
    this.error.textContent = "";
    this.buttons.forEach((button, place) => {
      button.setAttribute("aria-pressed", String(this.categories[place] === label));
    });
  }

  press(key) {
    const place = this.keys.indexOf(key);
    if (place >= 0) this.choose(this.categories[place]);
  }

  get answer() {
    return this.label === null ? null : { label: this.label };
  }

  complain() {
    this.error.textContent = "Choose a category first: click it, or press its key.";
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
    for (const name of new Set([...this.querySelectorAll("*")].map((element) => element.localName))) {
      if (!name.startsWith("crowd-") || customElements.get(name)) continue;
      const text = `The element ${name} is not there in local AWS: use crowd-image-classifier or plain inputs.`;
      this.prepend(make("p", { className: "error", role: "alert", textContent: text }));
    }
    if (!this.querySelector('crowd-button[form-action="submit"], button[type="submit"]')) {
      const button = make("button", { type: "button", className: "submit", textContent: "Submit (Enter)" });
      button.addEventListener("click", () => this.submit());
      const choices = this.querySelectorAll("crowd-image-classifier > .choice");
      (choices.length === 1 ? choices[0] : this).append(button);
    }
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const on = event.target.closest?.("input, textarea, select, button, a, summary, crowd-button");
    if (on?.matches("input, textarea, select")) return;
    if (event.key !== "Enter") return this.querySelector("crowd-image-classifier")?.press(event.key.toLowerCase());
    if (on?.matches("crowd-button")) return on.click();
    // Enter after a click on a category means submit, not the category again.
    if (on && !on.closest(".categories")) return;
    event.preventDefault();
    this.submit();
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
