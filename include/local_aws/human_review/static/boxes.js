// Stand-in for crowd-bounding-box: Annotorious draws, moves and resizes the boxes; a list beside the picture has them for
// the keyboard. Places are whole pixels of the image as it is shown upright, whatever its size on the page.
import "./vendor/annotorious/annotorious.js";
import { BoxRow } from "./box_row.js";
import { keysOf, labelButton, make, readList, readValue } from "./parts.js";

const COLOURS = ["#ffb000", "#5ac8fa", "#57d977", "#ff7aa2", "#c9a2ff", "#ffe14d", "#ff8c5a", "#6fe3d1", "#dddddd", "#b8e04a"];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HINT =
  "A box that is selected can be moved, its corners and sides can be dragged, and it gets another label by the label's " +
  "button or key. Keys: + adds a box, Tab goes from box to box, arrows move it, Shift and arrows size it, Delete deletes " +
  "it, Escape selects none, Ctrl and Z takes back, Enter submits.";
const SLIP_PIXELS = 4; // on the screen: a click that slipped is no box

const SIDES = ["left", "top", "width", "height"];

const clamp = (number, least, most) => Math.min(Math.max(number, least), most);

// A box that was moved over the edge comes back as a whole; one that was drawn or sized over it is cut.
export function fit({ left, top, width, height }, size, isMoved) {
  const x = isMoved ? clamp(left, 0, Math.max(0, size.width - width)) : left;
  const y = isMoved ? clamp(top, 0, Math.max(0, size.height - height)) : top;
  const [fromX, fromY] = [clamp(Math.round(x), 0, size.width - 1), clamp(Math.round(y), 0, size.height - 1)];
  const toX = clamp(Math.round(x + width), fromX + 1, size.width);
  const toY = clamp(Math.round(y + height), fromY + 1, size.height);
  return { left: fromX, top: fromY, width: toX - fromX, height: toY - fromY };
}

// What has no initial value may say null, as Liquid's to_json does.
function readBoxes(text) {
  const boxes = readValue(text) ?? [];
  if (!Array.isArray(boxes)) throw new SyntaxError("it is not a list");
  const odd = boxes.find((box) => !SIDES.every((side) => Number.isFinite(box?.[side])));
  if (odd !== undefined) throw new SyntaxError(`it has no box: ${JSON.stringify(odd)}`);
  return boxes;
}

export class CrowdBoundingBox extends HTMLElement {
  connectedCallback() {
    if (this.frame) return;
    this.classList.add("widget");
    this.rows = new Map();
    this.settled = new Map();
    this.made = 0;
    this.error = make("div", { className: "error" });
    this.error.setAttribute("role", "alert");
    this.readAttributes();
    this.keys = keysOf(this.labels);
    this.current = this.labels[0] ?? "";
    const picture = make("img", { src: this.getAttribute("src"), alt: "the image to draw boxes on" });
    picture.addEventListener("load", () => this.open(picture));
    picture.addEventListener("error", () => { this.error.textContent = "The image could not be loaded."; });
    this.tags = make("div", { className: "tags" });
    this.tags.setAttribute("aria-hidden", "true");
    this.frame = make("div", { className: "frame" }, picture, this.tags);
    this.prepend(make("h2", { textContent: this.getAttribute("header") ?? "" }), this.frame, this.makePanel());
    this.showLabels();
  }

  readAttributes() {
    const read = (name, reader, otherwise) => {
      const text = this.getAttribute(name) || "[]";
      try {
        return reader(text);
      } catch (error) {
        this.error.textContent = `The template's ${name} cannot be read: ${text} (${error.message}). ${otherwise}`;
        return [];
      }
    };
    this.labels = read("labels", readList, 'Write them as ["a", "b"].');
    const initial = read("initial-value", readBoxes, "Write a list of {label, left, top, width, height}.");
    this.initial = initial.filter((box) => this.labels.includes(box.label));
    const other = initial.find((box) => !this.labels.includes(box.label));
    if (other) this.error.textContent = `A box of the template's initial-value has a label that is not offered: ${other.label}.`;
    if (!this.getAttribute("name")) this.error.textContent = "The template's crowd-bounding-box has no name, so it has no answer.";
  }

  makePanel() {
    this.buttons = this.labels.map((label, place) => labelButton(label, this.keys[place], () => this.choose(label)));
    this.buttons.forEach((button, place) => button.style.setProperty("--colour", COLOURS[place % COLOURS.length]));
    this.add = make("button", { type: "button", className: "add", textContent: "Add a box (+)" });
    this.add.addEventListener("click", () => this.addBox());
    this.list = make("ol", { className: "boxes" });
    this.status = make("p", { className: "status" });
    this.status.setAttribute("role", "status");
    const labels = make("div", { className: "categories" }, ...this.buttons);
    labels.setAttribute("role", "group");
    labels.setAttribute("aria-label", "Label of the selected box and of new ones");
    const hint = make("details", { className: "hint" }, make("summary", { textContent: "Drag to draw a box, click one to change it. More ..." }), HINT);
    return make("div", { className: "choice" }, labels, this.add, this.list, this.status, hint, this.error);
  }

  // The picture is there: its size is known, and boxes can be drawn.
  open(picture) {
    if (this.annotator) return;
    this.size = { width: picture.naturalWidth, height: picture.naturalHeight };
    this.frame.style.setProperty("--ratio", this.size.width / this.size.height);
    picture.classList.toggle("small", Math.max(this.size.width, this.size.height) <= 256);
    this.annotator = globalThis.Annotorious.createImageAnnotator(picture, {
      style: (annotation) => this.styleOf(annotation),
      // A change in the page's first quarter of a second is joined to the one before, which Annotorious takes for granted.
      initialHistory: { changes: [{ created: [], updated: [], deleted: [] }], pointer: -1 },
    });
    this.initial = this.initial.map((box) => ({ ...box, ...fit(box, this.size, false) }));
    this.annotator.setAnnotations(this.initial.map((box) => this.annotation(box)));
    this.annotator.state.store.observe(({ changes }) => this.changed(changes));
    this.annotator.state.selection.subscribe(() => this.refresh());
    // While a box is selected nothing can be drawn beside it: a press outside of it ends that before Annotorious sees it.
    this.frame.addEventListener("pointerdown", (event) => {
      if (this.selected && !event.target.closest(".a9s-annotation.selected")) this.annotator.setSelected();
    }, true);
    addEventListener("pointerup", () => setTimeout(() => this.settle()));
    this.nameParts();
    this.settle();
  }

  // Annotorious's handles can be reached by Tab, and do nothing there: the list has all that they do.
  nameParts() {
    const layer = this.frame.querySelector("svg");
    layer.setAttribute("aria-label", "The picture with its boxes; the list of boxes has the same for the keyboard");
    const hide = () => layer.querySelectorAll('[role="button"]').forEach((handle) => {
      handle.setAttribute("tabindex", "-1");
      handle.setAttribute("aria-hidden", "true");
    });
    new MutationObserver(hide).observe(layer, { childList: true, subtree: true });
  }

  annotation({ label, left, top, width, height }) {
    const id = `box-${++this.made}`;
    return { id, bodies: [this.body(id, label)], target: { annotation: id, selector: this.selector({ left, top, width, height }) } };
  }

  body(annotation, value) {
    return { id: `${annotation}-label`, annotation, purpose: "tagging", value };
  }

  selector({ left: x, top: y, width: w, height: h }) {
    const bounds = { minX: x, minY: y, maxX: x + w, maxY: y + h };
    return { type: "RECTANGLE", geometry: { x, y, w, h, rot: 0, bounds } };
  }

  get annotations() {
    return this.annotator ? this.annotator.state.store.all() : [];
  }

  get selected() {
    return this.annotator?.getSelected()[0]?.id;
  }

  boxOf({ id, bodies, target }) {
    const { x: left, y: top, w: width, h: height } = target.selector.geometry;
    const before = this.settled.get(id);
    const isMoved = before && Math.abs(before.width - width) < 0.5 && Math.abs(before.height - height) < 0.5;
    return { label: bodies[0]?.value ?? this.current, ...fit({ left, top, width, height }, this.size, isMoved) };
  }

  styleOf({ bodies }) {
    const stroke = this.colourOf(bodies[0]?.value ?? this.current);
    return { fill: stroke, fillOpacity: 0.12, stroke, strokeWidth: 2.5 };
  }

  colourOf(label) {
    return COLOURS[this.labels.indexOf(label) % COLOURS.length];
  }

  // What was drawn has no label yet. It gets one, unless it was a click that slipped.
  changed({ created = [] }) {
    const scale = this.frame.clientWidth / this.size.width;
    for (const { id, bodies, target } of created) {
      if (bodies.length) continue;
      const { w, h } = target.selector.geometry;
      const isSlip = Math.min(w, h) * scale < SLIP_PIXELS;
      queueMicrotask(() => (isSlip ? this.annotator.removeAnnotation(id) : this.store.addBody(this.body(id, this.current))));
    }
    this.refresh();
  }

  get store() {
    return this.annotator.state.store;
  }

  // Bring all boxes into the picture and to whole pixels, once nobody drags any more.
  settle() {
    for (const annotation of this.annotations) {
      const { label: _, ...place } = this.boxOf(annotation);
      const { x, y, w, h } = annotation.target.selector.geometry;
      this.settled.set(annotation.id, place);
      if (place.left === x && place.top === y && place.width === w && place.height === h) continue;
      this.store.updateTarget({ ...annotation.target, selector: this.selector(place) });
    }
    this.refresh();
  }

  refresh() {
    const [annotations, selected] = [this.annotations, this.selected];
    const gone = new Set(this.rows.keys());
    this.tags.replaceChildren();
    annotations.forEach((annotation, at) => {
      const [box, colour] = [this.boxOf(annotation), this.colourOf(this.boxOf(annotation).label)];
      gone.delete(annotation.id);
      const isSelected = annotation.id === selected;
      const row = this.rowOf(annotation.id);
      row.show(at + 1, box, colour, isSelected);
      if (this.list.children[at] !== row.element) this.list.insertBefore(row.element, this.list.children[at] ?? null);
      this.tags.append(this.tag(at + 1, box, colour));
      if (isSelected) this.current = box.label;
    });
    for (const id of gone) {
      this.rows.get(id).element.remove();
      this.rows.delete(id);
      this.settled.delete(id);
    }
    this.showLabels();
    const place = annotations.findIndex(({ id }) => id === selected);
    const which = place < 0 ? "" : `; box ${place + 1} is selected: ${this.boxOf(annotations[place]).label}`;
    this.status.textContent = `${this.count(annotations.length)}${which}`;
    this.dispatchEvent(new Event("summary", { bubbles: true }));
  }

  rowOf(id) {
    if (!this.rows.has(id)) {
      this.rows.set(id, new BoxRow(this.labels, {
        select: () => this.select(id),
        relabel: (label) => this.relabel(id, label),
        place: (change) => this.place(id, change),
        remove: () => this.removeBox(id),
      }));
    }
    return this.rows.get(id);
  }

  tag(number, box, colour) {
    const tag = make("span", { textContent: `${number} ${box.label}` });
    tag.style.left = `${(box.left / this.size.width) * 100}%`;
    tag.style.top = `${(box.top / this.size.height) * 100}%`;
    tag.style.background = colour;
    tag.classList.toggle("inside", box.top / this.size.height < 0.08);
    return tag;
  }

  showLabels() {
    this.buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(this.labels[place] === this.current)));
  }

  count(number) {
    return number === 0 ? "No box" : number === 1 ? "1 box" : `${number} boxes`;
  }

  select(id) {
    if (this.selected !== id) this.annotator.setSelected(id, true);
  }

  choose(label) {
    this.current = label;
    if (this.selected) this.relabel(this.selected, label);
    this.showLabels();
  }

  relabel(id, label) {
    const annotation = this.store.getAnnotation(id);
    this.store.updateAnnotation(id, { ...annotation, bodies: [this.body(id, label)] });
  }

  // Change some of a box's left, top, width and height.
  place(id, change) {
    const annotation = this.store.getAnnotation(id);
    const isMoved = !("width" in change || "height" in change);
    const place = fit({ ...this.boxOf(annotation), ...change }, this.size, isMoved);
    this.settled.set(id, place);
    this.store.updateTarget({ ...annotation.target, selector: this.selector(place) });
    this.refresh();
  }

  // A new box in the middle, a quarter of the picture wide and high; where one is already, beside it.
  addBox() {
    if (!this.annotator || !this.labels.length) return;
    const { width, height } = this.size;
    const shift = (this.annotations.length % 10) * 0.02;
    const place = { left: width * (0.375 + shift), top: height * (0.375 + shift), width: width / 4, height: height / 4 };
    const annotation = this.annotation({ label: this.current, ...fit(place, this.size, true) });
    this.store.addAnnotation(annotation);
    this.settle();
    this.select(annotation.id);
    this.rowOf(annotation.id).pick.focus();
  }

  removeBox(id) {
    const place = this.annotations.findIndex((annotation) => annotation.id === id);
    const hadFocus = this.list.contains(document.activeElement);
    this.annotator.removeAnnotation(id);
    this.refresh();
    const next = this.annotations[Math.min(place, this.annotations.length - 1)];
    if (hadFocus) (next ? this.rowOf(next.id).pick : this.add).focus();
  }

  press(event) {
    const place = this.keys.indexOf(event.key.toLowerCase());
    if (event.key === "+" && !event.repeat) return this.addBox();
    if (place >= 0) return this.choose(this.labels[place]);
    const id = this.selected;
    if (!id) return;
    if (event.key === "Escape") this.annotator.setSelected();
    else if (event.key === "Delete" || event.key === "Backspace") this.removeBox(id);
    else if (event.key in ARROWS) {
      event.preventDefault();
      this.nudge(id, ...ARROWS[event.key], event.shiftKey);
    }
  }

  // Move a box, or its right and lower sides, by a hundredth of the picture's longer side.
  nudge(id, toRight, down, isSize) {
    const step = Math.max(1, Math.round(Math.max(this.size.width, this.size.height) / 100));
    const box = this.boxOf(this.store.getAnnotation(id));
    const [x, y] = [toRight * step, down * step];
    this.place(id, isSize ? { width: box.width + x, height: box.height + y } : { left: box.left + x, top: box.top + y });
  }

  get boxes() {
    return this.annotations.map((annotation) => {
      const { label, left, top, width, height } = this.boxOf(annotation);
      return { height, label, left, top, width };
    });
  }

  get summary() {
    return this.annotator ? (this.annotations.length ? this.count(this.annotations.length) : "nothing here") : "";
  }

  get answer() {
    if (!this.annotator) return null;
    const answer = { boundingBoxes: this.boxes, inputImageProperties: { height: this.size.height, width: this.size.width } };
    if (!this.hasAttribute("initial-value")) return answer;
    return { ...answer, initialValueModified: !sameBoxes(answer.boundingBoxes, this.initial) };
  }

  complain() {
    this.error.textContent ||= "The image is not there yet, so there is nothing to answer.";
  }
}

function sameBoxes(boxes, others) {
  const texts = (list) => list.map(({ label, left, top, width, height }) => JSON.stringify([label, left, top, width, height]));
  const [first, second] = [texts(boxes).sort(), texts(others).sort()];
  return first.length === second.length && first.every((text, place) => text === second[place]);
}
