"use strict";
// Shared by all parts of the page: data, elements, and text for figures.
const data = JSON.parse(document.getElementById("data").textContent);
const columns = data.incidents; // one per replay
const comparing = columns.length > 1;
const first = columns[0].summary;

const clock = (at) => new Date(at * 1000).toISOString().slice(11, 19);
const minute = (at) => clock(at).slice(0, 5);
const stretch = `${minute(first.since)}–${minute(first.until)}`;
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const round = (number) => String(+number.toPrecision(3));

function took(seconds) {
  if (seconds === null) return "no end";
  if (seconds === 0) return "0 s";
  if (seconds < 1) return `${round(seconds * 1000)} ms`;
  if (seconds < 120) return `${round(seconds)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")} min`;
}

function figure(value, unit) {
  if (value === null || value === undefined) return "none";
  if (unit === "seconds") return took(value);
  if (unit === "share") return `${round(value * 100)} %`;
  if (Number.isInteger(value)) return String(value); // counts are exact
  return Math.abs(value) < 5e-4 ? "0" : round(value);
}

/** Return a share as a whole percentage, a half to the even number, as the terminal does. */
function percent(share) {
  const value = share * 100;
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 ? near - 1 : near;
}

/** Return the change between two figures as text: "÷ 25", "+ 12 %", "new", "gone"; for shares, in points. */
function change(from, to, unit) {
  const [one, other] = [from ?? 0, to ?? 0].map((value) => (Math.abs(value) < 5e-4 ? 0 : value));
  if (one === other || Math.abs(other - one) < 0.005 * Math.abs(one)) return "same";
  if (unit === "share") return `${other > one ? "+" : "−"} ${round(Math.abs(other - one) * 100)} points`;
  if (one === 0) return "new";
  if (other === 0) return "gone";
  if (one > 0 && other / one >= 2) return `× ${round(other / one)}`;
  if (one > 0 && other > 0 && one / other >= 2) return `÷ ${round(one / other)}`;
  if (one < 0 || other < 0) return `${other > one ? "+" : "−"} ${round(Math.abs(other - one))}`;
  return `${other > one ? "+" : "−"} ${round(Math.abs(other / one - 1) * 100)} %`;
}

/** Make an element. Strings become text, never markup. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Make a section: a heading, controls for all columns, a cell per column, and the differences. */
function row(title, cells, differences, { controls = [], about = "", kind = "" } = {}) {
  const labelled = cells.map((cell, n) =>
    make("div", { class: "cell" }, ...(comparing ? [make("h3", { class: "column" }, columns[n].label)] : []), cell),
  );
  return make(
    "section",
    { class: `card ${kind}` },
    make("h2", {}, title),
    ...(about ? [make("p", { class: "dim about" }, about)] : []),
    ...(controls.length ? [make("div", { class: "controls" }, ...controls)] : []),
    make("div", { class: "row" }, ...labelled, make("div", { class: "differences" }, ...differences)),
  );
}

/** Make a table: for each thing its figure per column (or before and during the incident), and the change. */
function figures(things, heads) {
  const alone = ({ name, values, unit = "" }) =>
    make("tbody", {}, make("tr", {}, make("th", { colspan: 2 }, name), make("td", { class: "figure" }, figure(values[0], unit))));
  if (things.length && things[0].values.length === 1) return make("table", { class: "figures" }, ...things.map(alone));
  const body = things.map(({ name, values, unit = "", color = null }) =>
    make(
      "tbody",
      {},
      make("tr", {}, make("th", { colspan: 3 }, ...(color ? [swatch(color)] : []), name)),
      ...values.map((value, n) =>
        make(
          "tr",
          {},
          make("td", { class: "dim" }, heads[n]),
          make("td", { class: "figure" }, figure(value, unit)),
          make("td", { class: "change" }, n ? change(values[0], value, unit) : ""),
        ),
      ),
    ),
  );
  return make("table", { class: "figures" }, ...body);
}

const swatch = (color) => make("i", { class: "swatch", style: `background:${color}` });
const labels = columns.map((column) => column.label);
const beforeAndDuring = ["before", stretch];
