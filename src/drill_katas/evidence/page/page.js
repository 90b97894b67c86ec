"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#2c6fbb", "#c0392b", "#1e8449", "#b9770e", "#7d3c98", "#148f9c", "#616a75", "#d35490"];
const LEVELS = ["debug", "info", "warning", "error", "critical"];
const ROW = 20; // pixels of a log line
const MOST_SERIES = 8, MOST_TRACES = 200, MOST_SPANS = 400;

const clock = at => new Date(at * 1000).toISOString().slice(11, 19);
const took = s => s === null ? "no end" : s < 1 ? `${+(s * 1000).toPrecision(3)} ms`
  : s < 60 ? `${+s.toPrecision(3)} s` : `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")} min`;

function make(tag, attributes = {}, ...children) { // text is always text, never markup
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) name === "on" ? node.addEventListener(...value) : node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const section = (title, ...children) => make("section", {}, make("h2", {}, title), ...children);

function level(name, of) {
  const share = of.requests ? of.good / of.requests : 1;
  const style = share > 0.98 ? "good" : share > 0.8 ? "note" : "bad";
  return make("p", {class: "level"}, `${name}  `, make("b", {class: style}, `${Math.round(share * 100)} %`),
    ` of ${of.requests} requests good, p95 ${took(of.p95)}`);
}

function timeline(incident) {
  const {began, ended, since, until} = incident.summary, per = at => (at - began) / (ended - began) * 100;
  const row = (name, from, to, kind, title) => make("div", {class: "row"}, make("span", {class: "name", title: name}, name),
    make("span", {class: `bar ${kind}`, title, style: `left:${per(from)}%;width:${per(to) - per(from)}%`}));
  const ticks = [0, 1, 2, 3, 4, 5, 6].map(n => make("span", {}, clock(began + (ended - began) * n / 6).slice(0, 5)));
  return section("Timeline", make("div", {class: "timeline"}, row("what the page is about", since, until, "hurt", ""),
    ...incident.alerts.map(a => row(a.name, a.fired, a.resolved ?? ended, a.severity,
      `${a.severity}, from ${clock(a.fired)}: ${a.summary}\n${a.expression}`)),
    make("div", {class: "axis"}, ...ticks)));
}

const within = xs => xs.at(-1) - xs[0] < 86400 ? at => clock(at).slice(0, 5) : at => new Date(at * 1000).toISOString().slice(5, 10);
const sync = uPlot.sync("time");
function plot(into, title, series, {time = true, x = ""} = {}) {
  const xs = [...new Set(series.flatMap(s => s.points.map(p => p[0])))].sort((a, b) => a - b);
  const columns = series.map(s => { const at = new Map(s.points); return xs.map(value => at.get(value) ?? null); });
  const options = {
    title, width: Math.max(320, into.clientWidth || 580), height: 210, tzDate: at => uPlot.tzDate(new Date(at * 1000), "UTC"),
    scales: {x: {time}}, cursor: time ? {sync: {key: sync.key}} : {},
    axes: [{label: x || undefined, space: 60, ...(time ? {values: (_, at) => at.map(within(xs))} : {})}, {size: 62}],
    series: [{}, ...series.map((s, n) => ({label: s.name, stroke: COLOURS[n % COLOURS.length], width: time ? 1.6 : 0,
      spanGaps: true, points: time ? {show: false} : {show: true, size: 7, fill: COLOURS[n % COLOURS.length]}}))],
  };
  const drawn = new uPlot(options, [xs, ...columns], into);
  new ResizeObserver(() => drawn.setSize({width: Math.max(320, into.clientWidth), height: 210})).observe(into);
}

function pictures(incident) {
  return incident.pictures.map(p => {
    const into = make("div", {class: "plot"});
    requestAnimationFrame(() => plot(into, "", p.series, {time: p.time, x: p.x}));
    return section(p.title, into, make("p", {class: "dim"}, p.about));
  });
}

function metrics(incident) {
  const into = make("div", {class: "plot"});
  const names = incident.metrics.map(m => m.name);
  const choose = make("select", {class: "metric"}, ...names.map(name => make("option", {}, name)));
  const draw = () => {
    into.replaceChildren();
    const chosen = incident.metrics[choose.selectedIndex];
    plot(into, chosen.help, chosen.series.slice(0, MOST_SERIES));
  };
  choose.addEventListener("change", draw);
  choose.selectedIndex = Math.max(0, names.indexOf("p95 of request_duration_seconds"));
  requestAnimationFrame(draw);
  return section("Metrics", make("div", {class: "controls"}, choose, make("span", {class: "dim"},
    "drag to zoom, double click to zoom out; counters as rates a minute")), into);
}

function logs(incident, show) {
  const pick = (name, values) => make("select", {class: name}, make("option", {value: ""}, `any ${name}`), ...values.map(v => make("option", {}, v)));
  const levels = pick("level", LEVELS), services = pick("service", [...new Set(incident.logs.map(l => l.service))].sort());
  const text = make("input", {type: "search", placeholder: "contains", class: "grep"});
  const count = make("span", {class: "dim count"}), inside = make("div"), lines = make("div", {class: "lines mono"}, inside);
  const texts = incident.logs.map(l => `${l.event} ${Object.entries(l.fields).map(([k, v]) => `${k}=${v}`).join(" ")}`);
  let found = [];
  const draw = () => { // only what can be seen: there may be a hundred thousand
    const first = Math.max(0, Math.floor(lines.scrollTop / ROW) - 5), last = Math.min(found.length, first + 30);
    inside.replaceChildren(...found.slice(first, last).map((n, k) => {
      const l = incident.logs[n], trace = l.trace_id ? make("a", {href: "#", on: ["click", e => { e.preventDefault(); show(l.trace_id); }]}, l.trace_id.slice(0, 8)) : "--------";
      return make("div", {class: `line ${l.level}`, style: `top:${(first + k) * ROW}px`, title: l.id}, `${clock(l.at)} `, trace, ` ${l.level.padEnd(8)} ${l.service}: ${texts[n]}`);
    }));
  };
  const filter = () => {
    const least = LEVELS.indexOf(levels.value), wanted = text.value.toLowerCase();
    found = [...incident.logs.keys()].filter(n => {
      const l = incident.logs[n];
      return LEVELS.indexOf(l.level) >= least && (!services.value || l.service === services.value) && texts[n].toLowerCase().includes(wanted);
    });
    inside.style.height = `${found.length * ROW}px`;
    lines.scrollTop = 0;
    count.textContent = `${found.length} of ${incident.logs.length} lines`;
    draw();
  };
  lines.addEventListener("scroll", draw);
  for (const control of [levels, services, text]) control.addEventListener("input", filter);
  filter();
  return section("Logs", make("div", {class: "controls"}, levels, services, text, count), lines);
}

function traces(incident) {
  const byId = new Map();
  for (const s of incident.spans) (byId.get(s.trace_id) ?? byId.set(s.trace_id, []).get(s.trace_id)).push(s);
  const all = [...byId.entries()].map(([id, spans]) => ({id, spans, root: spans[0], failed: spans.some(s => s.failed),
    seconds: spans[0].ended === null ? null : spans[0].ended - spans[0].began}));
  const order = make("select", {class: "order"}, make("option", {}, "slowest"), make("option", {}, "failed"), make("option", {}, "all, by time"));
  const body = make("tbody"), water = make("div", {class: "waterfall mono"});
  const show = id => {
    const trace = all.find(t => t.id === id);
    for (const row of body.children) row.classList.toggle("chosen", row.dataset.trace === id);
    if (!trace) return water.replaceChildren(make("p", {class: "dim"}, `no spans on trace ${id}`));
    const ends = trace.spans.map(s => s.ended ?? incident.summary.ended), whole = Math.max(...ends) - trace.root.began || 1e-9;
    const depth = new Map();
    water.replaceChildren(make("p", {}, `trace ${id}`), ...ordered(trace.spans).slice(0, MOST_SPANS).map(s => {
      depth.set(s.span_id, (depth.get(s.parent_id) ?? -1) + 1);
      const left = (s.began - trace.root.began) / whole * 100, wide = ((s.ended ?? incident.summary.ended) - s.began) / whole * 100;
      return make("div", {class: s.failed ? "span failed" : "span", title: s.name}, make("span", {class: "what", style: `padding-left:${depth.get(s.span_id) * 14}px`}, `${s.service}: ${s.name}`),
        make("span", {class: "track"}, make("i", {style: `left:${left}%;width:${wide}%`})), make("span", {class: "took"}, took(s.ended === null ? null : s.ended - s.began)));
    }));
  };
  const list = () => {
    const chosen = order.selectedIndex === 0 ? [...all].sort((a, b) => (b.seconds ?? 1e9) - (a.seconds ?? 1e9)) : order.selectedIndex === 1 ? all.filter(t => t.failed) : all;
    body.replaceChildren(...chosen.slice(0, MOST_TRACES).map(t => make("tr", {"data-trace": t.id, on: ["click", () => show(t.id)]},
      make("td", {class: "mono"}, t.id.slice(0, 8)), make("td", {}, clock(t.root.began)), make("td", {}, took(t.seconds)),
      make("td", {class: t.failed ? "bad" : ""}, `${t.root.service}: ${t.root.name} (${t.root.attributes.status ?? ""})`), make("td", {}, `${t.spans.length} spans`))));
  };
  order.addEventListener("input", list);
  list();
  if (all.length) show(body.children[0].dataset.trace);
  const node = section("Traces", make("div", {class: "controls"}, order, make("span", {class: "dim"}, `${all.length} traces`)),
    make("div", {class: "traces"}, make("table", {}, body)), water);
  return {node, show: id => { show(id); node.scrollIntoView({behavior: "smooth"}); }};
}

function ordered(spans) { // parents before their children, siblings by time
  const of = new Map(), known = new Set(spans.map(s => s.span_id));
  for (const s of spans) { const parent = known.has(s.parent_id) ? s.parent_id : null; (of.get(parent) ?? of.set(parent, []).get(parent)).push(s); }
  const walk = id => (of.get(id) ?? []).flatMap(s => [s, ...walk(s.span_id)]);
  return walk(null);
}

function graph(incident) {
  const drawn = new DOMParser().parseFromString(incident.graph, "image/svg+xml").documentElement;
  return section("Who calls whom", document.importNode(drawn, true));
}

for (const incident of data.incidents) {
  const found = traces(incident);
  const article = make("article", {}, data.incidents.length > 1 ? make("h2", {}, incident.label) : "",
    section("What customers got", level("before", incident.summary.before), level(`${clock(incident.summary.since).slice(0, 5)} to ${clock(incident.summary.until).slice(0, 5)}`, incident.summary.after)),
    timeline(incident), ...pictures(incident), metrics(incident), logs(incident, found.show), found.node, graph(incident));
  document.getElementById("incidents").append(article);
}
const first = data.incidents[0].summary;
document.getElementById("when").textContent = `${new Date(first.began * 1000).toISOString().slice(0, 10)}, ${clock(first.began).slice(0, 5)} to ${clock(first.ended).slice(0, 5)} UTC; ${first.kata}, replayed on ${data.incidents.map(i => i.label).join(" and ")}`;
