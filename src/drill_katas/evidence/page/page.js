// Assembles the page. The first charts in the data changed most, so they come first.
const TOP_CHARTS = 3;

function metrics() {
  const names = data.metrics.map((chart) => chart.title);
  const choose = make("select", { class: "metric", "aria-label": "metric" }, ...names.map((name) => make("option", {}, name)));
  const holder = make("div");
  const draw = () => {
    const chart = data.metrics[choose.selectedIndex];
    const hint = make("span", { class: "dim" }, "drag to zoom, double-click to zoom out");
    holder.replaceChildren(row("Metrics", cellsOf(chart), changesOf(chart), { controls: [choose, hint], about: chart.about, kind: "metrics" }));
  };
  choose.addEventListener("change", draw);
  choose.selectedIndex = Math.min(TOP_CHARTS, names.length - 1);
  draw();
  return holder;
}

heading();
const found = traces();
document.getElementById("incidents").append(
  customers(),
  timeline(),
  ...data.metrics.slice(0, TOP_CHARTS).map((chart) => row(chart.title, cellsOf(chart), changesOf(chart), { about: chart.about, kind: "top" })),
  ...data.pictures.map((chart) => row(chart.title, cellsOf(chart), [], { about: chart.about, kind: "picture" })),
  metrics(),
  logs(found.shows),
  found.node,
  graph(),
);
document.body.style.setProperty("--columns", columns.length);
