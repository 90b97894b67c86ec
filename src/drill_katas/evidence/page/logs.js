// Log lines: one filter for all columns. Only visible lines are elements, because there can be 100,000 lines.
const LEVELS = ["debug", "info", "warning", "error", "critical"];
const ROW = 20; // pixels of a line
const textOf = (line) => [line.event, ...Object.entries(line.fields).map(([name, value]) => `${name}=${value}`)].join(" ");

function logPane(column, show) {
  const inside = make("div");
  const empty = make("p", { class: "empty" });
  const pane = make("div", { class: "lines mono", tabindex: 0 }, inside);
  const number = make("p", { class: "dim count" });
  const texts = column.logs.map(textOf);
  let found = [];
  const entry = (n, top) => {
    const line = column.logs[n];
    const open = (event) => { event.preventDefault(); show(line.trace_id); };
    const trace = line.trace_id ? make("a", { href: "#", onclick: open }, line.trace_id.slice(0, 8)) : "--------";
    const text = ` ${line.level.padEnd(8)} ${line.service}: ${texts[n]}`;
    return make("div", { class: `line ${line.level}`, style: `top:${top}px`, title: `${line.id}: ${texts[n]}` }, `${clock(line.at)} `, trace, text);
  };
  const draw = () => {
    const start = Math.max(0, Math.floor(pane.scrollTop / ROW) - 5);
    inside.replaceChildren(...found.slice(start, start + 30).map((n, k) => entry(n, (start + k) * ROW)));
  };
  const filter = (wanted) => {
    const least = LEVELS.indexOf(wanted.level);
    found = [...column.logs.keys()].filter((n) => {
      const line = column.logs[n];
      return (
        LEVELS.indexOf(line.level) >= least && (!wanted.service || line.service === wanted.service) &&
        texts[n].toLowerCase().includes(wanted.text)
      );
    });
    inside.style.height = `${found.length * ROW}px`;
    pane.scrollTop = 0;
    number.textContent = `${found.length} of ${count(column.logs.length, "line")}`;
    empty.textContent = found.length ? "" : whyEmpty(column, wanted);
    pane.hidden = !found.length;
    empty.hidden = !!found.length;
    draw();
  };
  pane.addEventListener("scroll", draw);
  return { node: make("div", {}, number, pane, empty), filter };
}

/** Return why no line is shown: nothing was logged, or the filter excludes every line. */
function whyEmpty(column, wanted) {
  if (!column.logs.length) {
    return (
      `No service wrote a line from ${minute(column.summary.began)} to ${minute(column.summary.ended)}. A request that ` +
      "hangs or ends quietly leaves none: the traces and metrics show where it is."
    );
  }
  const parts = [
    wanted.level && `level ${wanted.level} or worse`, wanted.service && `service ${wanted.service}`, wanted.text && `text "${wanted.text}"`,
  ].filter(Boolean);
  return `No line matches ${parts.join(", ")}. The log has ${count(column.logs.length, "line")}: loosen the filter.`;
}

function logs(shows) {
  const panes = columns.map((column, n) => logPane(column, shows[n]));
  const services = [...new Set(columns.flatMap((column) => column.logs.map((line) => line.service)))].sort();
  const pick = (name, values, words) =>
    make("select", { class: name, "aria-label": name }, make("option", { value: "" }, words), ...values.map((value) => make("option", {}, value)));
  const level = pick("level", LEVELS, "any level");
  const service = pick("service", services, "any service");
  const text = make("input", { type: "search", placeholder: "contains", class: "grep", "aria-label": "contains" });
  const filter = () => panes.forEach((pane) => pane.filter({ level: level.value, service: service.value, text: text.value.toLowerCase() }));
  for (const control of [level, service, text]) control.addEventListener("input", filter);
  filter();
  return row("Logs", panes.map((pane) => pane.node), logDifferences(), { controls: [level, service, text] });
}

/** Return line counts per event: worst levels first; with several columns, largest differences first. */
function logDifferences() {
  const events = new Map();
  columns.forEach((column, n) => {
    for (const line of column.logs) {
      const name = `${line.service}: ${line.event}`;
      if (!events.has(name)) events.set(name, { name, level: LEVELS.indexOf(line.level), values: columns.map(() => 0) });
      events.get(name).values[n] += 1;
    }
  });
  const spread = ({ values }) => Math.max(...values) - Math.min(...values);
  const order = (one, other) => (comparing ? spread(other) - spread(one) : other.level - one.level || other.values[0] - one.values[0]);
  const shown = [...events.values()].filter((each) => !comparing || spread(each)).sort(order).slice(0, 5);
  if (!shown.length) return [make("h3", {}, "Lines"), make("p", { class: "dim" }, comparing ? "The columns have the same lines." : "none")];
  if (comparing) return [make("h3", {}, "Lines"), figures(shown, labels)];
  const items = shown.map((each) => make("li", { class: LEVELS[each.level] }, `${each.values[0]} × ${each.name}`));
  return [make("h3", {}, "Lines"), make("ul", { class: "plain" }, ...items)];
}
