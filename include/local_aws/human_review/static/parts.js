// What the stand-ins for AWS's elements share: making HTML, reading attributes, keys for choices.

export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const KEYS = [..."1234567890abcdefghijklmnopqrstuvwxyz"];

// A category that is named like a key gets that key: who sees a 7 presses 7, wherever it stands among the categories.
export function keysOf(categories) {
  const names = categories.map((label) => String(label).toLowerCase());
  const free = KEYS.filter((key) => !names.includes(key));
  return names.map((name, place) => {
    const own = KEYS.includes(name) && names.indexOf(name) === place;
    return own ? name : free.shift() ?? "";
  });
}

// A button for a label with its key.
export function labelButton(label, key, onClick) {
  const button = make("button", { type: "button", title: label }, make("kbd", { textContent: key }), make("span", { textContent: label }));
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", onClick);
  return button;
}

const STRING = `"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'`;

function inDoubleQuotes(quoted) {
  if (quoted.startsWith('"')) return quoted;
  const inner = quoted.slice(1, -1).replace(/\\.|"/gs, (special) => ({ "\\'": "'", '"': '\\"' })[special] ?? special);
  return `"${inner}"`;
}

// AWS's own pages write lists as JavaScript does, ['Cat', 'Dog']: JSON, or the same with single quotes, as in attributes.py.
export function readList(text) {
  const found = JSON.parse(text.replace(new RegExp(STRING, "gs"), inDoubleQuotes));
  if (!Array.isArray(found)) throw new SyntaxError("it is not a list");
  return found.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
}

// The same for objects, whose keys AWS's pages leave without quotes, and whose last member a comma may follow.
export function readValue(text) {
  const loose = new RegExp(`(${STRING})|([A-Za-z_$][\\w$]*)(?=\\s*:)|,(?=\\s*[\\]}])`, "gs");
  return JSON.parse(text.replace(loose, (_, string, key) => (string ? inDoubleQuotes(string) : key ? `"${key}"` : "")));
}
