// Stand-ins for crowd-image-classifier (one category) and crowd-image-classifier-multi-select (one or more).
import { keysOf, labelButton, make, readList, readValue } from "./parts.js";

const SMALL_PIXELS = 256;

class Choices extends HTMLElement {
  connectedCallback() {
    if (this.buttons) return;
    this.classList.add("widget");
    this.chosen = new Set();
    const [categories, trouble] = this.readCategories();
    this.categories = categories;
    this.keys = keysOf(categories);
    this.buttons = categories.map((label, place) => labelButton(label, this.keys[place], () => this.choose(label)));
    this.error = make("div", { className: "error", textContent: trouble });
    this.error.setAttribute("role", "alert");
    const picture = make("img", { src: this.getAttribute("src"), alt: "the image to classify" });
    picture.addEventListener("load", () => {
      picture.classList.toggle("small", Math.max(picture.naturalWidth, picture.naturalHeight) <= SMALL_PIXELS);
    });
    picture.addEventListener("error", () => { this.error.textContent = "The image could not be loaded."; });
    const hint = make("p", { className: "hint", textContent: this.hint });
    this.prepend(
      make("h2", { textContent: this.getAttribute("header") ?? "" }),
      picture,
      make("div", { className: "choice" }, make("div", { className: "categories" }, ...this.buttons), hint, this.error),
    );
  }

  readCategories() {
    if (!this.getAttribute("name")) return [[], `The template's ${this.localName} has no name, so it has no answer.`];
    const text = this.getAttribute("categories") || "[]";
    try {
      return [readList(text), ""];
    } catch (error) {
      return [[], `The template's categories cannot be read: ${text} (${error.message}). Write them as ["a", "b"].`];
    }
  }

  show() {
    this.error.textContent = "";
    this.buttons.forEach((button, place) => {
      button.setAttribute("aria-pressed", String(this.chosen.has(this.categories[place])));
    });
  }

  press(event) {
    const place = this.keys.indexOf(event.key.toLowerCase());
    if (place >= 0 && !event.repeat) this.choose(this.categories[place]);
  }
}

export class CrowdImageClassifier extends Choices {
  hint = "Press the key of a category or click it, then Enter.";

  choose(label) {
    this.chosen = new Set([label]);
    this.show();
  }

  get answer() {
    const [label] = this.chosen;
    return label === undefined ? null : { label };
  }

  complain() {
    this.error.textContent = "Choose a category first: click it, or press its key.";
  }
}

export class CrowdImageClassifierMultiSelect extends Choices {
  hint = "Press the keys of all categories that fit, or click them, then Enter. The same again takes one back.";

  // The category that says that none of the others fits comes last; AWS's pages write it as { text: 'None' }.
  readCategories() {
    const [categories, trouble] = super.readCategories();
    const text = this.getAttribute("exclusion-category");
    this.exclusion = null;
    if (trouble || !text) return [categories, trouble];
    try {
      this.exclusion = String(readValue(text).text);
      return [[...categories, this.exclusion], ""];
    } catch (error) {
      return [[], `The template's exclusion-category cannot be read: ${text} (${error.message}). Write { text: 'None' }.`];
    }
  }

  choose(label) {
    if (this.chosen.has(label)) this.chosen.delete(label);
    else if (label === this.exclusion) this.chosen = new Set([label]);
    else {
      this.chosen.delete(this.exclusion);
      this.chosen.add(label);
    }
    this.show();
  }

  get answer() {
    return this.chosen.size ? { labels: this.categories.filter((label) => this.chosen.has(label)) } : null;
  }

  complain() {
    this.error.textContent = "Choose at least one category first: click it, or press its key.";
  }
}
