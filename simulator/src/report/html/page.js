// Draws the charts and fills the table of decisions. All that is shown comes from the block of JSON
// in the page; text is only ever set as text, never as markup.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const HOUR = 3600000;
  const MICROS = 1e6;
  const longRun = data.end >= 24 * HOUR;

  // Names of colours in the style sheet. What is the same thing has the same colour everywhere.
  const TONES = {
    "spot": "green", "on-demand": "blue", "reserved": "pink",
    "waiting": "orange", "starting": "sky", "running": "blue",
    "from outside": "grey", "launch": "green", "insufficient capacity": "orange",
    "interruption": "red", "given up": "brown", "disruption": "blue", "eviction": "pink", "fault": "red",
    "controller start": "grey",
  };
  const TYPE_TONES = ["blue", "orange", "green", "pink", "sky", "red", "brown", "grey"];
  const SYMBOLS = {
    "launch": "triangle-up", "insufficient capacity": "x", "given up": "cross", "interruption": "diamond",
    "disruption": "triangle-down", "eviction": "square", "fault": "star", "controller start": "hexagon",
  };
  const WORDS = {waiting: "no node yet", starting: "starting", running: "answering"};

  const color = (tone) => getComputedStyle(document.documentElement).getPropertyValue(`--${tone}`).trim();
  const faint = (hex) => `${hex}b8`;

  // Times count from the start: 7:05, 12:05:00, and in long runs with the day in front.
  const clock = (millis, withMillis) => {
    const all = Math.floor(millis / 1000);
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
    const rest = withMillis ? `.${String(Math.floor(millis % 1000)).padStart(3, "0")}` : "";
    return hours ? `${hours}:${two(minutes)}:${two(seconds)}${rest}` : `${minutes}:${two(seconds)}${rest}`;
  };
  // The library takes a number of four digits for a year, so it gets its dates as text.
  const date = (millis) => new Date(millis).toISOString().slice(0, 23).replace("T", " ");
  const dates = (times) => times.map(date);
  const span = (millis) => {
    if (millis < 60000) return `${millis / 1000} s`;
    if (millis < HOUR) return `${Math.round(millis / 6000) / 10} min`;
    return `${Math.round(millis / HOUR * 10) / 10} h`;
  };

  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800]
    .map((seconds) => seconds * 1000);
  const ticks = ([from, to], width) => {
    const least = (to - from) / Math.max(2, width / 84);
    const step = STEPS.find((it) => it >= least) || Math.ceil(least / (24 * HOUR)) * 24 * HOUR;
    const values = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) values.push(at);
    const text = (at) => {
      if (longRun && step >= 60000) return `${Math.floor(at / HOUR)}:${String(at / 60000 % 60).padStart(2, "0")}`;
      return clock(at);
    };
    return {tickvals: dates(values), ticktext: values.map(text)};
  };

  const layout = (changes) => {
    const axis = {
      gridcolor: color("grid"), linecolor: color("line"), zerolinecolor: color("line"),
      tickfont: {color: color("soft"), size: 11}, title: {font: {color: color("soft"), size: 11}},
    };
    return {
      margin: {l: 52, r: 22, t: 10, b: 30},
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: {family: getComputedStyle(document.body).fontFamily, color: color("ink"), size: 12},
      hoverlabel: {bgcolor: color("card"), bordercolor: color("line"), font: {color: color("ink"), size: 12}},
      legend: {orientation: "h", x: 0, y: -0.12, yanchor: "top", font: {size: 12, color: color("soft")}, traceorder: "normal"},
      dragmode: "zoom", showlegend: true,
      ...changes,
      xaxis: {...axis, ...changes.xaxis},
      yaxis: {...axis, rangemode: "tozero", fixedrange: true, automargin: true, ...changes.yaxis},
      ...(changes.yaxis2 ? {yaxis2: {...axis, rangemode: "tozero", fixedrange: true, automargin: true, ...changes.yaxis2}} : {}),
    };
  };
  const overTime = (changes, width) => layout({
    hovermode: "x unified",
    ...changes,
    // A date axis from the epoch: its hover shows hours and minutes of virtual time.
    xaxis: {
      type: "date", range: dates(shown), hoverformat: longRun ? "day %-j, %H:%M:%S" : "%H:%M:%S",
      showgrid: false, ...ticks(shown, width), ...changes.xaxis,
    },
  });
  let shown = [0, data.end];

  const steps = (stack, tone, word, hover, scale = 1) => stack.layers.map((layer, index) => ({
    name: word(layer.name), x: dates(stack.times), y: layer.values.map((value) => value / scale),
    type: "scatter", mode: "lines", stackgroup: "one",
    line: {shape: "hv", width: 1, color: color(tone(layer.name, index))},
    fillcolor: faint(color(tone(layer.name, index))),
    hovertemplate: hover,
  }));
  const same = (name) => name;
  const toneOf = (name) => TONES[name] || "grey";
  const toneOfType = (_, index) => TYPE_TONES[index];
  // Counts have no ticks between whole numbers.
  const whole = (values) => {
    const most = Math.max(1, ...values);
    return most < 6 ? {tickformat: ",d", dtick: 1} : {tickformat: ",d", nticks: 6};
  };
  const totals = (stack) => stack.times.map((_, index) => stack.layers.reduce((sum, it) => sum + it.values[index], 0));

  const machines = (stack, tone) => (width) => ({
    data: steps(stack, tone, same, "%{y}"),
    layout: overTime({yaxis: whole(totals(stack))}, width),
  });

  const pods = (width) => ({
    data: steps(data.pods, toneOf, (name) => WORDS[name], "%{y}"),
    layout: overTime({yaxis: whole(totals(data.pods))}, width),
  });

  const spending = (width) => {
    const {rate, bill} = data.spending;
    const total = {
      name: "bill (right)", x: dates(rate.times), y: bill.map((micros) => micros / MICROS), yaxis: "y2",
      type: "scatter", mode: "lines", line: {color: color("ink"), width: 2}, hovertemplate: "$%{y:,.4f}",
    };
    return {
      data: [...steps(rate, toneOf, same, "$%{y:,.4f}/h", MICROS), total],
      layout: overTime({
        margin: {l: 56, r: 60, t: 10, b: 30},
        yaxis: {tickprefix: "$", nticks: 6},
        yaxis2: {tickprefix: "$", overlaying: "y", side: "right", showgrid: false, tickmode: "auto", nticks: 6},
      }, width),
    };
  };

  const events = (width) => {
    const lanes = [...new Set(data.events.map((event) => event.lane))];
    const order = Object.keys(TONES).filter((lane) => lanes.includes(lane)).reverse();
    const traces = order.map((lane) => {
      const marks = data.events.filter((event) => event.lane === lane);
      return {
        name: lane, x: marks.map((mark) => date(mark.at)), y: marks.map(() => lane), type: "scatter", mode: "markers", cliponaxis: false,
        marker: {
          symbol: SYMBOLS[lane] || "circle", color: color(toneOf(lane)), opacity: 0.85,
          size: marks.map((mark) => Math.min(24, 10 + 2.5 * Math.log2(mark.count))),
          line: {color: color("card"), width: 1},
        },
        text: marks.map((mark) => [`${clock(mark.at, true)} ${lane}`, ...mark.what].map(escaped).join("<br>")),
        hovertemplate: "%{text}<extra></extra>",
      };
    });
    return {
      data: traces,
      layout: overTime({
        hovermode: "closest", showlegend: false,
        yaxis: {type: "category", ticklabelstandoff: 14, rangemode: "normal", categoryorder: "array", categoryarray: order,
          range: [-0.6, order.length - 0.4]},
      }, width),
    };
  };
  // The library reads a few tags in hover texts; names from a scenario are no tags.
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // Waits differ by orders of magnitude, so they are shown by them.
  const WAITS = [0.1, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 14400, 86400].map((seconds) => seconds * 1000);
  const shortest = 100;
  const waitAxis = (waits) => {
    const most = Math.max(...waits, 1000);
    const least = Math.min(...waits);
    const from = WAITS.filter((it) => it <= least).pop() || shortest;
    const to = WAITS.find((it) => it >= most) || most;
    const values = WAITS.filter((it) => it >= from && it <= to);
    return {
      type: "log", rangemode: "normal", range: [Math.log10(from / 1.2), Math.log10(to * 1.2)],
      tickvals: values, ticktext: values.map(span),
    };
  };

  const waitingByCreation = (width) => {
    const waited = data.waiting.pods;
    const height = (wait) => Math.max(wait, shortest);
    const heights = waited.map((pod) => height(pod.waited));
    const [p50, p95] = data.percentiles;
    const line = (name, at, dash) => ({
      name: `${name} ${span(at)}`, x: dates([0, data.end]), y: [height(at), height(at)], type: "scatter", mode: "lines",
      line: {color: color("soft"), width: 1.2, dash}, hoverinfo: "skip",
    });
    const points = {
      name: "a pod", x: waited.map((pod) => date(pod.created)), y: heights,
      type: "scatter", mode: "markers", showlegend: false, cliponaxis: false,
      marker: {size: 7, color: faint(color("orange")), line: {color: color("orange"), width: 1}},
      text: waited.map((pod) => {
        const others = pod.of > 1 ? `<br>the longest of ${pod.of}` : "";
        return `${escaped(pod.name)}<br>created ${clock(pod.created, true)}, waited ${clock(pod.waited, true)}${others}`;
      }),
      hovertemplate: "%{text}<extra></extra>",
    };
    return {
      data: [points, line("p50", p50, "dot"), line("p95", p95, "dash")],
      layout: overTime({hovermode: "closest", yaxis: waitAxis(heights)}, width),
    };
  };

  const waitingHistogram = () => {
    const bins = data.waiting.bins;
    const name = (bin) => (bin.to === null ? `> ${span(bin.above)}` : `≤ ${span(bin.to)}`);
    return {
      data: [{
        x: bins.map(name), y: bins.map((bin) => bin.count), type: "bar", marker: {color: color("orange")},
        width: bins.length < 4 ? 0.35 : undefined,
        text: bins.map((bin) => (bin.count ? String(bin.count) : "")), textposition: "outside", cliponaxis: false,
        hovertemplate: "%{y} pods waited %{x}<extra></extra>",
      }],
      layout: layout({
        showlegend: false, margin: {l: 52, r: 16, t: 26, b: 30}, bargap: 0.15,
        xaxis: {type: "category", fixedrange: true}, yaxis: whole(bins.map((bin) => bin.count)),
      }),
    };
  };

  const timeCharts = {
    "machines-by-purchase": [machines(data.machinesByPurchase, toneOf), data.machinesByPurchase.layers],
    "machines-by-type": [machines(data.machinesByType, toneOfType), data.machinesByType.layers],
    "pods": [pods, data.pods.layers],
    "spending": [spending, data.spending.rate.layers],
    "events": [events, data.events],
    "waiting-by-creation": [waitingByCreation, data.waiting.pods],
  };
  const charts = {...timeCharts, "waiting-histogram": [waitingHistogram, data.waiting.bins]};
  const config = {responsive: true, displayModeBar: false};

  const place = (id) => document.querySelector(`#${id} .plot`);
  const isDrawn = (id) => charts[id][1].length > 0;

  const draw = (id) => {
    const div = place(id);
    if (!isDrawn(id)) {
      div.classList.add("empty");
      div.textContent = "Nothing to show.";
      return null;
    }
    const {data: traces, layout: look} = charts[id][0](div.clientWidth);
    return Plotly.react(div, traces, look, config);
  };
  const drawAll = () => Promise.all(Object.keys(charts).map(draw));

  // One span for all charts over time: looking closer at one moves the others.
  const follow = (change) => {
    if ("xaxis.autorange" in change) shown = [0, data.end];
    else if ("xaxis.range[0]" in change) {
      // It gives them back without a zone and, at midnight, without a time; they are in UTC.
      const millis = (text) => Date.parse(`${(text.includes(" ") ? text : `${text} 00:00`).replace(" ", "T")}Z`);
      const [from, to] = [millis(change["xaxis.range[0]"]), millis(change["xaxis.range[1]"])];
      shown = [Math.max(0, from), Math.min(data.end, to)];
    } else return;
    for (const id of Object.keys(timeCharts).filter(isDrawn)) {
      const {tickvals, ticktext} = ticks(shown, place(id).clientWidth);
      Plotly.relayout(place(id), {"xaxis.range": dates(shown), "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext});
    }
  };

  drawAll().then(() => {
    for (const id of Object.keys(timeCharts).filter(isDrawn)) place(id).on("plotly_relayout", follow);
    // How long it took from the beginning of loading, for whoever tests the page.
    document.documentElement.dataset.drawnMillis = String(Math.round(performance.now()));
  });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    window.matchMedia(query).addEventListener("change", drawAll);
  }

  // The decisions.
  const ROWS = 100;
  const find = (id) => document.getElementById(id);
  const [search, action, kind] = [find("search"), find("action"), find("kind")];
  const lower = data.decisions.map((row) => row.slice(1).join(" ").toLowerCase());
  const ACTION_TONES = {
    "Nominated": "sky", "Unplaced": "orange", "ClaimCreated": "green", "LaunchRequested": "green", "Launched": "green",
    "SoldOut": "orange", "Disrupted": "blue", "Evicted": "pink", "Terminated": "blue", "GivenUp": "red",
    "Unexpected": "red", "Interrupted": "red",
  };
  let page = 0;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.textContent = text;
    return made;
  };

  const fill = (select, column) => {
    const counts = new Map();
    for (const row of data.decisions) counts.set(row[column], (counts.get(row[column]) || 0) + 1);
    for (const [value, count] of [...counts].sort()) {
      const option = element("option", "", `${value} (${count})`);
      option.value = value;
      select.append(option);
    }
  };

  const rowOf = ([at, objectKind, name, what, reason, message]) => {
    const row = document.createElement("tr");
    const object = element("td", "", "");
    object.append(element("span", "kind", `${objectKind} `), element("span", "name", name));
    const badge = element("span", "badge", what);
    if (ACTION_TONES[what]) badge.style.setProperty("--badge", `var(--${ACTION_TONES[what]})`);
    const did = element("td", "", "");
    did.append(badge);
    row.append(element("td", "time", clock(at, true)), object, did,
      element("td", "", reason === what ? "" : reason), element("td", "", message));
    return row;
  };

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = data.decisions.filter((row, index) =>
      (!action.value || row[3] === action.value) && (!kind.value || row[1] === kind.value)
      && words.every((word) => lower[index].includes(word)));
    const pages = Math.max(1, Math.ceil(rows.length / ROWS));
    page = Math.min(page, pages - 1);
    const part = rows.slice(page * ROWS, (page + 1) * ROWS);
    document.querySelector("#decisions tbody").replaceChildren(...part.map(rowOf));
    find("found").textContent = `${rows.length} of ${data.decisions.length}`;
    find("page").textContent = `page ${page + 1} of ${pages}`;
    find("earlier").disabled = page === 0;
    find("later").disabled = page + 1 === pages;
    document.querySelector(".pages").hidden = pages === 1;
  };
  const turn = (by) => () => { page += by; show(); };
  const restart = () => { page = 0; show(); };

  fill(action, 3);
  fill(kind, 1);
  search.addEventListener("input", restart);
  action.addEventListener("change", restart);
  kind.addEventListener("change", restart);
  find("earlier").addEventListener("click", turn(-1));
  find("later").addEventListener("click", turn(1));
  show();
})();
