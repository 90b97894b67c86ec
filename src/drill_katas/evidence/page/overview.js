// The head of the page: the replayed programs, the customers' results, and the timeline.
function heading() {
  const day = new Date(first.began * 1000).toISOString().slice(0, 10);
  document.getElementById("when").textContent =
    `${first.kata} · ${day}, ${minute(first.began)} to ${minute(first.ended)} UTC` +
    (first.ablation ? ` · experiment ${first.ablation}` : "");
  const how = comparing
    ? `The same customers came ${columns.length === 2 ? "twice" : `${columns.length} times`} (seed ${first.seed}), ` +
      "once to each of these programs, so every difference comes from the code:"
    : `Recorded with seed ${first.seed} from`;
  const programs = columns.map(({ label, about }) => make("li", {}, make("b", {}, label), `: ${about}`));
  document.getElementById("how").append(make("p", {}, how), make("ul", {}, ...programs));
  for (const { label, summary } of columns.filter((column) => column.summary.late)) {
    const text =
      `The replay of ${label} ran late: it waited ${took(summary.late)} for a processor on a busy machine, so its ` +
      `times may come from the machine, not the code. \`kata incident ${summary.kata}\` replays your code again` +
      (comparing ? "; the next page replays the other columns." : ".");
    document.getElementById("how").append(make("p", { class: "banner", role: "status" }, text));
  }
}

const shareOf = (level) => (level.requests ? level.good / level.requests : 1);

function level(name, of) {
  const share = shareOf(of);
  const style = share > 0.98 ? "good" : share > 0.8 ? "warn" : "bad";
  return make(
    "p", { class: "level" },
    make("span", { class: "dim" }, name),
    make("b", { class: style }, `${percent(share)} %`),
    make("span", {}, `${of.good} of ${count(of.requests, "request")} good, p95 ${took(of.p95)}`),
  );
}

function customers() {
  const cells = columns.map(({ summary }) =>
    make(
      "div", { class: "levels" }, level(`before ${minute(summary.since)}`, summary.before), level(stretch, summary.after),
      make("p", { class: "dim" }, summary.onset === null ? "No customer got a bad answer." : `First bad answer at ${clock(summary.onset)}.`),
    ),
  );
  const [before, during] = [columns.map((c) => c.summary.before), columns.map((c) => c.summary.after)];
  const things = comparing
    ? [
        { name: `good, ${stretch}`, unit: "share", values: during.map(shareOf) },
        { name: `p95, ${stretch}`, unit: "seconds", values: during.map((each) => each.p95) },
      ]
    : [
        { name: "good", unit: "share", values: [shareOf(before[0]), shareOf(during[0])] },
        { name: "p95", unit: "seconds", values: [before[0].p95, during[0].p95] },
      ];
  return row("Customers", cells, [
    make("h3", {}, "Change"), figures(things, comparing ? labels : beforeAndDuring),
  ]);
}

/** Return all alerts and marks of all columns by name, in order of time: the rows of every timeline. */
function momentNames() {
  const all = columns.flatMap(momentsOf);
  return [...new Map(all.sort((one, other) => one.number - other.number).map((each) => [each.name, each])).values()];
}

function timelineOf(column) {
  const { began, ended, since, until } = column.summary;
  const per = (at) => Math.min(100, Math.max(0, ((at - began) / (ended - began)) * 100));
  const bar = (from, to, kind, title) =>
    make("span", { class: `bar ${kind}`, title, style: `left:${per(from)}%;width:${per(to) - per(from)}%` });
  const line = (name, note, ...bars) =>
    make("div", { class: "moments" }, make("p", {}, ...name, make("span", { class: "dim" }, note)), make("div", { class: "track" }, ...bars));
  const rows = momentNames().map((moment) => {
    const name = [make("b", { class: `badge ${moment.kind}` }, String(moment.number)), ` ${moment.name} `];
    const found = momentsOf(column).filter((each) => each.name === moment.name);
    if (!found.length) return line(name, moment.kind === "mark" ? "did not happen" : "did not fire");
    if (moment.kind === "mark") {
      return line(name, found.map((each) => clock(each.at)).join(", "), ...found.map((each) => bar(each.at, each.at, "mark", clock(each.at))));
    }
    const times = found.map((each) => `${clock(each.fired)} to ${each.resolved === null ? "the end" : clock(each.resolved)}`);
    const bars = found.map((each) => bar(each.fired, each.resolved ?? ended, each.severity, `${each.summary}\n${each.expression}`));
    return line(name, `${moment.severity}, ${times.join("; ")}`, ...bars);
  });
  const ticks = [0, 1, 2, 3, 4, 5, 6].map((n) => make("span", { style: `left:${(n / 6) * 100}%` }, minute(began + ((ended - began) * n) / 6)));
  return make(
    "div", { class: "timeline" }, line(["Worst part "], stretch, bar(since, until, "impact", "")),
    ...rows, make("div", { class: "axis" }, ...ticks),
  );
}

function timeline() {
  const alerts = [...new Map(columns.flatMap((c) => c.alerts).map((alert) => [alert.name, alert])).values()];
  const firing = (column, name) => {
    const found = column.alerts.find((alert) => alert.name === name);
    return found ? `fires ${clock(found.fired)}` : "does not fire";
  };
  const differences = comparing
    ? alerts.map(({ name, severity }) =>
        make(
          "div", { class: "alert" }, make("b", { class: `badge ${severity}` }, String(numberOf(name))), ` ${name}`,
          make("ul", {}, ...columns.map((column) => make("li", {}, make("span", { class: "dim" }, `${column.label}: `), firing(column, name)))),
        ),
      )
    : alerts.map(({ name, severity, summary }) =>
        make("div", { class: "alert" }, make("b", { class: `badge ${severity}` }, String(numberOf(name))), ` ${name}: `, make("span", { class: "dim" }, summary)),
      );
  const none = make("p", { class: "dim" }, comparing ? "No alert fires in any column." : "No alert fires.");
  return row("Timeline", columns.map(timelineOf), [make("h3", {}, "Alerts"), ...(alerts.length ? differences : [none])]);
}
