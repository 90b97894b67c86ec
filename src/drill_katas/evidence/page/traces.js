// Traces: a list per column, the selected trace as a waterfall, and the graph of service calls.
const MOST_TRACES = 200;
const MOST_SPANS = 400;
const NO_TRACE = `${"0".repeat(31)}1`; // of work outside any trace, such as a job
const ORDERS = {
  slowest: (all) => [...all].sort((one, other) => (other.seconds ?? 1e9) - (one.seconds ?? 1e9)),
  failed: (all) => all.filter((trace) => trace.failed),
  "all, by time": (all) => all,
};

function tracesOf(column) {
  const byId = new Map();
  for (const span of column.spans) {
    if (span.trace_id === NO_TRACE) continue;
    if (!byId.has(span.trace_id)) byId.set(span.trace_id, []);
    byId.get(span.trace_id).push(span);
  }
  return [...byId.entries()].map(([id, spans]) => ({
    id, spans, root: spans[0], failed: spans.some((span) => span.failed),
    seconds: spans[0].ended === null ? null : spans[0].ended - spans[0].began,
  }));
}

/** Return spans with parents before children, and siblings by time. */
function ordered(spans) {
  const known = new Set(spans.map((span) => span.span_id));
  const children = new Map();
  for (const span of spans) {
    const parent = known.has(span.parent_id) ? span.parent_id : null;
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(span);
  }
  const walk = (id) => (children.get(id) ?? []).flatMap((span) => [span, ...walk(span.span_id)]);
  return walk(null);
}

function waterfall(trace, ended) {
  const end = (span) => span.ended ?? ended;
  const whole = Math.max(...trace.spans.map(end)) - trace.root.began || 1e-9;
  const depth = new Map();
  const lines = ordered(trace.spans).slice(0, MOST_SPANS).map((span) => {
    depth.set(span.span_id, (depth.get(span.parent_id) ?? -1) + 1);
    const left = ((span.began - trace.root.began) / whole) * 100;
    const wide = ((end(span) - span.began) / whole) * 100;
    return make(
      "div", { class: span.failed ? "span failed" : "span", title: `${span.service}: ${span.name}` },
      make("span", { class: "what", style: `padding-left:${Math.min(8, depth.get(span.span_id)) * 12}px` }, `${span.service}: ${span.name}`),
      make("span", { class: "track" }, make("i", { style: `left:${left}%;width:${wide}%` })),
      make("span", { class: "took" }, took(span.ended === null ? null : span.ended - span.began)),
    );
  });
  return [make("p", {}, `trace ${trace.id}`), ...lines];
}

function tracePane(column) {
  const all = tracesOf(column);
  const body = make("tbody");
  const water = make("div", { class: "waterfall mono" });
  const select = (id) => {
    const trace = all.find((each) => each.id === id);
    for (const entry of body.children) entry.classList.toggle("chosen", entry.dataset.trace === id);
    water.replaceChildren(...(trace ? waterfall(trace, column.summary.ended) : [make("p", { class: "dim" }, `trace ${id} has no spans`)]));
  };
  const list = (order) => {
    const chosen = ORDERS[order](all).slice(0, MOST_TRACES);
    const none = make("tr", {}, make("td", { class: "dim" }, all.length ? "No trace failed." : "No requests."));
    const entries = chosen.map((trace) =>
      make(
        "tr", { "data-trace": trace.id, tabindex: 0, onclick: () => select(trace.id), onkeydown: (event) => event.key === "Enter" && select(trace.id) },
        make("td", { class: "mono" }, trace.id.slice(0, 8)), make("td", {}, clock(trace.root.began)), make("td", {}, took(trace.seconds)),
        make("td", { class: "spans" }, count(trace.spans.length, "span")),
        make("td", { class: trace.failed ? "bad name" : "name" }, `${trace.root.service}: ${trace.root.name} (${trace.root.attributes.status ?? ""})`),
      ),
    );
    body.replaceChildren(...(entries.length ? entries : [none]));
    if (chosen.length) select(chosen[0].id);
    else water.replaceChildren();
  };
  const node = make("div", {}, make("div", { class: "traces", tabindex: 0 }, make("table", {}, body)), water);
  const show = (id) => { select(id); node.scrollIntoView({ behavior: "smooth", block: "center" }); };
  return { node, all, list, show };
}

function traces() {
  const panes = columns.map(tracePane);
  const order = make("select", { class: "order", "aria-label": "order" }, ...Object.keys(ORDERS).map((name) => make("option", {}, name)));
  const list = () => panes.forEach((pane) => pane.list(order.value));
  order.addEventListener("input", list);
  list();
  const numbers = (name, of) => ({ name, values: panes.map(({ all }) => of(all)) });
  const things = [
    numbers("traces", (all) => all.length),
    numbers("failed", (all) => all.filter((trace) => trace.failed).length),
    numbers("without an end", (all) => all.filter((trace) => trace.seconds === null).length),
    { ...numbers("slowest", (all) => Math.max(0, ...all.map((trace) => trace.seconds ?? 0))), unit: "seconds" },
  ];
  const differences = [make("h3", {}, "Traces"), figures(things, comparing ? labels : [""])];
  return { node: row("Traces", panes.map((pane) => pane.node), differences, { controls: [order] }), shows: panes.map((pane) => pane.show) };
}

function graph() {
  const cells = columns.map((column) => {
    const svg = new DOMParser().parseFromString(column.graph, "image/svg+xml").documentElement;
    return make("div", { class: "graph", tabindex: 0 }, document.importNode(svg, true));
  });
  const edges = new Map();
  columns.forEach((column, n) => {
    for (const edge of column.edges) {
      const name = `${edge.caller} → ${edge.callee}`;
      if (!edges.has(name)) edges.set(name, { name, values: columns.map(() => 0) });
      edges.get(name).values[n] = edge.calls;
    }
  });
  const differences = [make("h3", {}, "Calls"), figures([...edges.values()].slice(0, 8), comparing ? labels : [""])];
  return row("Service calls", cells, differences, { kind: "graphs" });
}
