// Charts: a series has one color, and a chart the same axes, in all columns; alerts and deploys are marked.
const SHADES = 8;
const shade = (n) => `var(--series-${n % SHADES})`;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const sync = uPlot.sync("time");
const GUTTER = 64; // pixels of the y axis; the timeline's bars start there as well
const TALL = 190;
const drawn = new Set();

const isClockTime = (xs) => xs.at(-1) - xs[0] < 86400;
const timeTick = (xs) => (isClockTime(xs) ? minute : (at) => new Date(at * 1000).toISOString().slice(5, 10));

/** Return the moments to mark in a column, each with its number in the timeline. */
function momentsOf(column) {
  const alerts = column.alerts.map((alert) => ({ ...alert, at: alert.fired, kind: alert.severity, verb: "fires" }));
  const marks = column.marks.map((mark) => ({ ...mark, kind: "mark", verb: "" }));
  return [...marks, ...alerts]
    .sort((one, other) => one.at - other.at)
    .map((moment) => ({ ...moment, number: numberOf(moment.name) }));
}

/** Alerts and marks are numbered in order of time, with the same number in all columns. */
const numbers = new Map();
function numberOf(name) {
  if (!numbers.size) {
    const all = columns.flatMap((c) => [...c.marks.map((m) => [m.at, m.name]), ...c.alerts.map((a) => [a.fired, a.name])]);
    for (const [, each] of all.sort((one, other) => one[0] - other[0])) {
      if (!numbers.has(each)) numbers.set(each, numbers.size + 1);
    }
  }
  return numbers.get(name);
}

/** Draw the marks over a plot: vertical lines with their numbers above; numbers of close lines share a badge. */
function marksOver(column) {
  return (plot) => {
    plot.over.querySelectorAll(".moment, .impact").forEach((node) => node.remove());
    const at = (time) => plot.valToPos(time, "x");
    const wide = plot.over.clientWidth;
    const [left, right] = [first.since, first.until].map((time) => Math.min(wide, Math.max(0, at(time))));
    plot.over.append(make("i", { class: "impact", style: `left:${left}px;width:${Math.max(0, right - left)}px` }));
    let last = null;
    for (const moment of momentsOf(column)) {
      const x = at(moment.at);
      if (x < 0 || x > wide) continue;
      const title = `${moment.name} ${moment.verb} ${clock(moment.at)}`.replace("  ", " ");
      if (last && x - last.x < 22) {
        last.badge.textContent += ` ${moment.number}`;
        last.badge.title += `\n${title}`;
      } else {
        last = { x, badge: make("b", { title }, String(moment.number)) };
        plot.over.append(make("i", { class: `moment ${moment.kind}`, style: `left:${x}px` }, last.badge));
      }
    }
  };
}

/** Return the range of a chart's values in all columns; it starts at 0 unless a value is negative. */
function rangeOf(chart) {
  const values = chart.lines.flatMap((line) => line.points.flat().map((point) => point[1]));
  const [low, high] = values.reduce(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [0, 0]);
  const room = (high - low || 1) * 0.05;
  return [low < 0 ? low - room : 0, high + room];
}

function axes(chart, xs) {
  const look = { stroke: () => css("--dim"), grid: { stroke: () => css("--line"), width: 1 }, labelFont: "12px sans-serif" };
  const ticks = { stroke: () => css("--line"), width: 1, size: 4 };
  const time = !chart.x;
  const onlyDays = time && !isClockTime(xs);
  return [
    {
      ...look, ticks, space: 56, size: 28, labelSize: 18, labelGap: 0,
      label: chart.x || (onlyDays ? "day" : "time, UTC"),
      ...(time ? { values: (_, at) => at.map(timeTick(xs)) } : {}),
    },
    {
      ...look, ticks, space: 34, size: GUTTER - 20, labelSize: 20, labelGap: 2, label: chart.y,
      values: (_, at) => at.map((value) => (chart.unit === "share" ? figure(value, "share") : tick(value))),
    },
  ];
}

const tick = (value) => (Math.abs(value) >= 1e4 ? `${round(value / 1000)}k` : String(+value.toFixed(6)));

/** Draw one column of a chart into a node. */
function plot(into, chart, n) {
  const all = chart.lines.flatMap((line) => line.points.flat().map((point) => point[0]));
  const xs = [...new Set(chart.lines.flatMap((line) => line.points[n].map((point) => point[0])))].sort((a, b) => a - b);
  const values = chart.lines.map((line) => {
    const at = new Map(line.points[n]);
    return xs.map((x) => at.get(x) ?? null);
  });
  const time = !chart.x;
  const ofIncident = time && all.length && Math.min(...all) > first.began - 3600;
  const y = rangeOf(chart);
  const [begin, end] = ofIncident ? [first.began, first.ended] : all.reduce(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [Infinity, -Infinity]);
  const margin = time ? 0 : (end - begin || 1) * 0.04;
  const across = [time ? begin : Math.max(0, begin - margin), end + margin];
  const options = {
    width: Math.max(240, into.clientWidth), height: TALL, padding: [ofIncident ? 20 : 8, 18, 0, 0],
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
    scales: { x: { time, range: (_, low, high) => (low === null || (low === xs[0] && high === xs.at(-1)) ? across : [low, high]) }, y: { range: () => y } },
    cursor: ofIncident ? { sync: { key: sync.key } } : {},
    axes: axes(chart, xs.length ? xs : [first.began, first.ended]),
    legend: { show: chart.lines.length > 1 || comparing, markers: { stroke: (_, k) => shadeNow(k - 1) } },
    hooks: ofIncident ? { draw: [marksOver(columns[n])] } : {},
    series: [
      { label: chart.x || "time", value: (_, x) => (x === null ? "" : time ? (isClockTime(xs) ? clock(x) : new Date(x * 1000).toISOString().slice(5, 16).replace("T", " ")) : round(x)) },
      ...chart.lines.map((line, k) => ({
        label: line.name, stroke: () => shadeNow(k), width: time ? 1.75 : 0, spanGaps: ofIncident,
        value: (_, value) => (value === null ? "" : figure(value, chart.unit)),
        points: time ? { show: false } : { show: true, size: 7, width: 0, fill: () => shadeNow(k) },
      })),
    ],
  };
  const made = new uPlot(options, [xs, ...values], into);
  made.root.querySelectorAll(".u-series").forEach((node, k) => k && (node.title = chart.lines[k - 1].full));
  drawn.add(made);
  new ResizeObserver(() => made.setSize({ width: Math.max(240, into.clientWidth), height: TALL })).observe(into);
}

const shadeNow = (k) => css(`--series-${k % SHADES}`);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((each) => each.redraw(false, true)));

/** Return the cells of a chart. They are drawn once they are on the page. */
function cellsOf(chart) {
  return columns.map((_, n) => {
    const into = make("div", { class: "plot" });
    requestAnimationFrame(() => plot(into, chart, n));
    return into;
  });
}

/** Return the largest changes in a chart: between columns, or between before and during the incident. */
function changesOf(chart) {
  const most = 4;
  const things = chart.lines.map((line, k) => ({
    name: line.name, unit: chart.unit, color: shade(k),
    values: comparing ? line.figures.map((each) => each.during) : [line.figures[0].before, line.figures[0].during],
  }));
  const weight = ({ values }) => Math.max(...values.map((value) => Math.abs((value ?? 0) - (values[0] ?? 0))));
  const changed = things.filter((each) => things.length === 1 || weight(each) > 0);
  const largest = [...changed].sort((one, other) => weight(other) - weight(one)).slice(0, most);
  const left = things.length - largest.length;
  return [
    make("h3", {}, comparing ? `Mean from ${stretch}` : "Mean"),
    figures(changed.filter((each) => largest.includes(each)), comparing ? labels : beforeAndDuring),
    ...(left ? [make("p", { class: "dim" }, largest.length ? `and ${left} that changed less` : "nothing changed")] : []),
  ];
}
