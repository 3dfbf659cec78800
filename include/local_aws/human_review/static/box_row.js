// One box in the list beside the picture: its number, label and place, for keyboards and screen readers as for the mouse.
import { make } from "./parts.js";

const SIDES = ["left", "top", "width", "height"];

export class BoxRow {
  // `on` has what is done with the box: select(), relabel(label), place({side: pixels}) and remove().
  constructor(labels, on) {
    this.pick = make("button", { type: "button", className: "pick" });
    this.label = make("select", {}, ...labels.map((label) => make("option", { value: label, textContent: label })));
    this.remove = make("button", { type: "button", className: "remove", textContent: "Delete" });
    this.inputs = SIDES.map((side) => make("input", { type: "number", min: side === "width" || side === "height" ? 1 : 0 }));
    this.place = make("div", { className: "place", hidden: true });
    this.place.append(...SIDES.map((side, at) => make("label", {}, `${side} `, this.inputs[at])));
    this.element = make("li", {}, this.pick, this.label, this.remove, this.place);
    this.element.addEventListener("focusin", on.select);
    this.pick.addEventListener("click", on.select);
    this.remove.addEventListener("click", on.remove);
    this.label.addEventListener("change", () => on.relabel(this.label.value));
    SIDES.forEach((side, at) => {
      this.inputs[at].addEventListener("change", () => on.place({ [side]: this.inputs[at].valueAsNumber || 0 }));
    });
  }

  show(number, box, colour, selected) {
    this.pick.textContent = number;
    this.pick.setAttribute("aria-label", `Select box ${number}`);
    this.pick.setAttribute("aria-pressed", String(selected));
    this.label.setAttribute("aria-label", `Label of box ${number}`);
    this.label.value = box.label;
    this.remove.setAttribute("aria-label", `Delete box ${number}`);
    this.place.hidden = !selected;
    this.element.classList.toggle("selected", selected);
    this.element.style.setProperty("--colour", colour);
    SIDES.forEach((side, at) => { this.inputs[at].value = box[side]; });
  }
}
