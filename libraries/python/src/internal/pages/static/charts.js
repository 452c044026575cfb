// The interactive charts: ECharts, drawn as SVG, from data that the server wrote into the page as JSON. One function a
// kind of chart in `draw`. Colours come from the style sheet's tokens; a change of the colour scheme draws again. Arrow
// keys move the pointer.
(() => {
  const probe = document.createElement("i"); probe.hidden = true; document.body.append(probe);
  const colour = (token) => { probe.style.color = `var(--${token})`; return getComputedStyle(probe).color; };
  const alpha = (value, share) => value.replace(/rgba?\(([^)]+)\)/, (_, list) => `rgba(${list.split(/[ ,/]+/).filter(Boolean).slice(0, 3).join(",")},${share})`);
  let C = {};
  const tokens = ["ink", "ink-2", "ink-3", "line", "line-strong", "surface", "fact", "base", "steel", "faint", "model", "model-soft", "plus", "minus", "plus-fill", "minus-fill", "bad"];
  const read = () => tokens.forEach((token) => { C[token] = colour(token); });

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const day = (text) => `${+text.slice(8, 10)} ${MONTHS[+text.slice(5, 7) - 1]}`;
  const whole = (text) => `${DAYS[new Date(`${text}T12:00Z`).getUTCDay()]} ${day(text)} ${text.slice(0, 4)}`;
  const signed = (value, digits = 2) => (value == null ? "" : `${value < 0 ? "−" : value > 0 ? "+" : ""}${Math.abs(value).toFixed(digits)}`);
  const plain = (value, digits = 0) => `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(digits)}`;
  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const tip = (head, rows) => `<div class="tip"><b>${escape(head)}</b><table>${rows.filter((r) => r[1] !== "").map(([k, v]) => `<tr><td>${escape(k)}</td><td>${escape(v)}</td></tr>`).join("")}</table></div>`;
  const phone = () => innerWidth < 700;

  const text = (size = 11) => ({ color: C["ink-3"], fontSize: size, fontFamily: getComputedStyle(document.body).fontFamily });
  const frame = () => ({
    animation: false, textStyle: text(), aria: { enabled: false },
    tooltip: { trigger: "axis", confine: true, transitionDuration: 0, backgroundColor: C.surface, borderColor: C["line-strong"], borderWidth: 1, padding: [8, 12], extraCssText: "border-radius:8px;box-shadow:0 6px 20px rgb(0 0 0 / .12)", axisPointer: { type: "line", lineStyle: { color: C["ink-3"], type: "solid", width: 1 } } },
  });
  // Labels where a month, quarter or year begins, as many as fit.
  const ticks = (days, width, room = 76) => {
    const most = Math.max(2, Math.floor(width / room)), keep = new Map();
    const starts = days.map((one, i) => (i && one.slice(0, 7) !== days[i - 1].slice(0, 7) ? i : -1)).filter((i) => i > 0);
    if (starts.length >= 4) {
      const every = [1, 2, 3, 6, 12].find((step) => starts.filter((i) => (+days[i].slice(5, 7) - 1) % step === 0).length <= most) ?? 12;
      starts.filter((i) => (+days[i].slice(5, 7) - 1) % every === 0).forEach((i) => keep.set(i, +days[i].slice(5, 7) === 1 ? days[i].slice(0, 4) : MONTHS[+days[i].slice(5, 7) - 1]));
    } else {
      const step = Math.max(1, Math.ceil(days.length / most));
      for (let i = days.length - 1; i >= 0; i -= step) keep.set(i, day(days[i]));
    }
    return keep;
  };
  const axisX = (days, width, more = {}) => {
    const keep = ticks(days, width);
    return { type: "category", data: days, boundaryGap: false, axisLine: { lineStyle: { color: C["line-strong"] } }, axisTick: { show: true, interval: (i) => keep.has(i), lineStyle: { color: C["line-strong"] }, length: 4 }, axisLabel: { ...text(), interval: (i) => keep.has(i), formatter: (_, i) => keep.get(i) ?? "", hideOverlap: true, margin: 9 }, ...more };
  };
  const axisY = (more = {}) => ({ type: "value", splitNumber: 4, axisLine: { show: false }, axisTick: { show: false }, splitLine: { lineStyle: { color: C.line } }, axisLabel: { ...text(), margin: 10, ...(more.axisLabel ?? {}) }, ...Object.fromEntries(Object.entries(more).filter(([k]) => k !== "axisLabel")) });
  const line = (name, data, token, width = 2, more = {}) => ({ name, type: "line", data, showSymbol: false, symbol: "circle", symbolSize: 6, lineStyle: { color: C[token], width, ...(more.lineStyle ?? {}) }, itemStyle: { color: C[token] }, emphasis: { disabled: true }, z: 3, ...Object.fromEntries(Object.entries(more).filter(([k]) => k !== "lineStyle")) });
  const end = (label, token, more = {}) => ({ endLabel: { show: true, color: C[token], fontSize: 12, lineHeight: 16, fontWeight: 600, distance: 8, formatter: () => label, ...more } });
  // Round bounds for an axis, with at most seven steps.
  const bounds = (lists, most = 6) => {
    const every = lists.flat().filter((v) => v != null), low = Math.min(...every, 0), high = Math.max(...every, 0);
    const interval = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100].find((step) => Math.ceil(high / step) - Math.floor(low / step) <= most) ?? 200;
    return { min: +(Math.floor(low / interval) * interval).toFixed(6), max: +(Math.ceil(high / interval) * interval).toFixed(6), interval };
  };
  const level = (value, token = "line-strong", type = "dashed") => ({ silent: true, symbol: "none", animation: false, label: { show: false }, lineStyle: { color: C[token], type, width: 1 }, data: [{ yAxis: value }] });
  const polygon = (points, style) => ({ type: "polygon", shape: { points }, style });

  const draw = {
    value(d, box) {
      const own = d.name ?? "Fund", other = d.benchmark ?? "Equal weight", pc = (list) => list.map((v) => (v == null ? null : +(100 * v).toFixed(3))), fund = pc(d.fund), base = pc(d.base ?? []), fall = pc(d.fall), last = d.days.length - 1;
      const right = phone() ? 14 : 108, wide = box.clientWidth - right - 52;
      const range = box.dataset.range, from = range === "3M" ? last - 63 : range === "1Y" ? last - 252 : 0;
      const cut = (list) => list.slice(from), days = cut(d.days);
      const shift = (list) => { if (!list.length) return []; const first = 1 + list[from] / 100; return cut(list).map((v) => +(100 * ((1 + v / 100) / first - 1)).toFixed(3)); };
      const f = shift(fund), b = shift(base), tail = f.length - 1, under = bounds([cut(fall)], 2).min || -1;
      return {
        ...frame(), axisPointer: { link: [{ xAxisIndex: "all" }] },
        grid: [{ outerBoundsMode: "none", left: 52, right, top: 12, bottom: phone() ? 110 : 128 }, { outerBoundsMode: "none", left: 52, right, height: phone() ? 52 : 66, bottom: 28 }],
        xAxis: [axisX(days, wide, { axisLabel: { show: false }, axisTick: { show: false }, axisLine: { show: false } }), axisX(days, wide, { gridIndex: 1 })],
        yAxis: [axisY({ ...bounds([f, b]), axisLabel: { formatter: (v) => signed(v, bounds([f, b]).interval < 1 ? 1 : 0) + " %" } }), axisY({ gridIndex: 1, min: under, max: 0, interval: -under, axisLabel: { formatter: (v) => plain(v, v && under > -1 ? 1 : 0) + " %" } })],
        series: [
          ...(d.base ? [line(other, b, "base", 1.5, { z: 2, ...(phone() ? {} : end(`${other}\n${signed(b[tail], 1)} %`, "ink-3", { fontWeight: 500 })) })] : []),
          line(own, f, "fact", 2.25, { ...(phone() ? {} : end(`${own}\n${signed(f[tail], 2)} %`, "ink")), markLine: level(0, "line-strong", "solid") }),
          line("Drawdown", cut(fall), "minus-fill", 1, { xAxisIndex: 1, yAxisIndex: 1, areaStyle: { color: C["minus-fill"], opacity: 0.35 }, z: 2 }),
        ],
        tooltip: { ...frame().tooltip, formatter: (p) => { const i = p[0].dataIndex; return tip(whole(days[i]), [[own, `${signed(f[i])} %`], [other, d.base ? `${signed(b[i])} %` : ""], ["Drawdown", `${plain(fall[i + from], 2)} %`], ["Net asset value", `$${d.value ? d.value[i + from].toLocaleString("en-US", { minimumFractionDigits: 2 }) : ""}`]]); } },
      };
    },

    history(d, box) {
      const open = +(box.dataset.open ?? d.fans.length - 1), since = Math.max(0, Math.min(d.closes.length - (phone() ? 34 : 63), d.closes.findIndex((c) => c[0] === d.fans[open]?.origin) - 7));
      const closes = d.closes.slice(since), ahead = (d.fans.at(-1)?.targets ?? []).filter((t) => t > closes.at(-1)[0]), days = [...closes.map((c) => c[0]), ...ahead], at = new Map(days.map((one, i) => [one, i])), close = new Map(closes);
      // The newest forecast and every seventh before it follow each other without a gap; the one that is open stands out.
      const seventh = d.fans.map((_, i) => i).filter((i) => (d.fans.length - 1 - i) % 7 === 0 && at.has(d.fans[i].origin)), shown = [...new Set([...seventh, ...(d.fans.length ? [open] : [])])].sort((a, b) => (a === open) - (b === open));
      const area = (number) => (_, api) => {
        const fan = d.fans[number], first = at.get(fan.origin);
        if (first == null) return null;
        const strong = number === open, known = fan.targets.map((t, i) => [at.get(t), i]).filter(([x]) => x != null), row = (k) => [api.coord([first, fan.base]), ...known.map(([x, i]) => api.coord([x, fan.prices[i][k]]))], [low, mid, high] = [row(0), row(1), row(2)];
        const stroke = (points, width, share) => ({ type: "polyline", shape: { points }, style: { stroke: alpha(C.model, share), lineWidth: width, fill: "none" } });
        return { type: "group", children: [polygon([...low, ...[...high].reverse()], { fill: alpha(C.model, strong ? 0.26 : 0.11) }), stroke(low, 1.25, strong ? 1 : 0.45), stroke(high, 1.25, strong ? 1 : 0.45), stroke(mid, strong ? 1.75 : 1, strong ? 1 : 0.45)] };
      };
      const outside = shown.flatMap((n) => d.fans[n].targets.filter((t, i) => d.fans[n].inside[i] === false && close.has(t)).map((t) => [t, close.get(t)]));
      const orders = d.orders.filter((o) => at.has(o.day)).map((o) => ({ value: [o.day, o.price], symbolRotate: o.side === "buy" ? 0 : 180, symbolOffset: [0, o.side === "buy" ? 12 : -12], itemStyle: { color: o.side === "buy" ? C["plus-fill"] : C["minus-fill"], borderColor: C.surface, borderWidth: 1 } }));
      const every = [...closes.map((c) => c[1]), ...d.orders.filter((o) => at.has(o.day)).map((o) => o.price), ...shown.flatMap((n) => (at.has(d.fans[n].origin) ? d.fans[n].prices.flat() : []))], low = Math.min(...every), high = Math.max(...every), room = (high - low) * 0.06 || 1;
      return {
        ...frame(), grid: { outerBoundsMode: "none", left: 48, right: 16, top: 12, bottom: 28 }, xAxis: axisX(days, box.clientWidth - 60), yAxis: axisY({ min: +(low - room).toFixed(2), max: +(high + room).toFixed(2), scale: true, axisLabel: { formatter: (v) => plain(v, high < 3 ? 2 : high < 30 ? 1 : 0), showMinLabel: false, showMaxLabel: false } }),
        series: [
          ...shown.map((n, i) => ({ name: "fan", type: "custom", renderItem: area(n), data: [0], silent: true, z: 1 + i / 100, clip: true, tooltip: { show: false } })),
          line("Close", days.map((one) => close.get(one) ?? null), "fact", 2, { z: 4, markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: C["ink-3"], type: [3, 3] }, data: [{ xAxis: closes.at(-1)[0] }] } }),
          { name: "Outside", type: "scatter", symbol: "circle", symbolSize: 9, data: outside, itemStyle: { color: C.surface, borderColor: C.bad, borderWidth: 1.75 }, z: 5, silent: true, tooltip: { show: false } },
          { name: "Order", type: "scatter", symbol: "triangle", symbolSize: [13, 11], data: orders, z: 6, silent: true, tooltip: { show: false } },
        ],
        tooltip: { ...frame().tooltip, formatter: (p) => {
          const one = days[p[0].dataIndex], fan = d.fans[open], step = fan?.targets.indexOf(one) ?? -1, order = d.orders.find((o) => o.day === one), price = (k) => (step < 0 ? "" : fan.prices[step][k].toFixed(2));
          return tip(whole(one), [["Close", close.get(one)?.toFixed(2) ?? ""], [fan ? `From ${day(fan.origin)}, model ${fan.model}: 90 %` : "", price(2)], ["50 %", price(1)], ["10 %", price(0)], [order ? `${order.side === "buy" ? "Bought" : "Sold"} ${order.quantity}` : "", order ? `at ${order.price.toFixed(2)}` : ""]]);
        } },
      };
    },

    ahead(d, box) {
      const fan = d.fans.at(-1), from = d.closes.findIndex((c) => c[0] === fan.origin), before = d.closes.slice(Math.max(0, from - 11), from + 1), days = [...before.map((c) => c[0]), ...fan.targets], now = before.length - 1, end = fan.prices.length;
      const all = [...before.map((c) => c[1]), ...fan.prices.flat()], low = Math.min(...all), high = Math.max(...all), room = (high - low) * 0.08 || 1;
      const label = (k) => ({ type: "text", style: { text: `${fan.prices[end - 1][k].toFixed(2)}`, fill: k === 1 ? C.model : C["ink-2"], font: `600 11px ${text().fontFamily}`, verticalAlign: "middle" } });
      return {
        ...frame(), grid: { outerBoundsMode: "none", left: 48, right: 48, top: 8, bottom: 26 }, xAxis: axisX(days, box.clientWidth - 60, { axisTick: { show: false } }), yAxis: axisY({ min: low - room, max: high + room, splitNumber: 3, axisLabel: { formatter: (v) => plain(v, high < 3 ? 2 : 1), showMinLabel: false, showMaxLabel: false } }),
        series: [
          { type: "custom", data: [0], silent: true, z: 1, tooltip: { show: false }, renderItem: (_, api) => {
            const row = (k) => [api.coord([now, fan.base]), ...fan.prices.map((q, i) => api.coord([now + 1 + i, q[k]]))], [a, b, c] = [row(0), row(1), row(2)], last = [a[end], b[end], c[end]];
            return { type: "group", children: [polygon([...a, ...[...c].reverse()], { fill: alpha(C.model, 0.2), stroke: C.model, lineWidth: 1.25 }), { type: "polyline", shape: { points: b }, style: { stroke: C.model, lineWidth: 2, fill: "none" } }, ...last.map((point, k) => ({ ...label(k), x: point[0] + 6, y: point[1] }))] };
          } },
          line("Close", days.map((_, i) => (i <= now ? before[i][1] : null)), "fact", 2, { z: 3 }),
        ],
        tooltip: { ...frame().tooltip, formatter: (p) => { const i = p[0].dataIndex, step = i - now - 1, at = (k) => `${fan.prices[step][k].toFixed(2)}  ${signed(100 * fan.returns[step][k])} %`; return tip(whole(days[i]), step < 0 ? [["Close", before[i][1].toFixed(2)]] : [["90 %", at(2)], ["50 %", at(1)], ["10 %", at(0)]]); } },
      };
    },

    // The share of outcomes below each quantile with its interval; on the diagonal it is calibrated.
    reliability(d) {
      const pc = (v) => +(100 * v).toFixed(2), axis = (name) => axisY({ min: 0, max: 100, interval: 25, name, nameLocation: "middle", nameGap: 26, nameTextStyle: text(), axisLabel: { formatter: (v) => `${v} %` } });
      return { ...frame(), grid: { outerBoundsMode: "none", left: 52, right: 20, top: 10, bottom: 46 }, xAxis: axis("Quantile"), yAxis: axis(""),
        series: [
          { type: "line", data: [[0, 0], [100, 100]], showSymbol: false, silent: true, lineStyle: { color: C["line-strong"], width: 1.5 }, tooltip: { show: false }, z: 1 },
          { name: "interval", type: "custom", silent: true, data: d.below.map((one) => [pc(one.level), pc(one.lower), pc(one.upper)]), z: 3, renderItem: (_, api) => { const a = api.coord([api.value(0), api.value(1)]), b = api.coord([api.value(0), api.value(2)]); return { type: "group", children: [{ type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: C.model, lineWidth: 2 } }, ...[a, b].map((q) => ({ type: "line", shape: { x1: q[0] - 5, x2: q[0] + 5, y1: q[1], y2: q[1] }, style: { stroke: C.model, lineWidth: 2 } }))] }; } },
          { name: "Held out", type: "scatter", symbolSize: 11, data: d.below.map((one) => [pc(one.level), pc(one.share)]), itemStyle: { color: C.model, borderColor: C.surface, borderWidth: 2 }, z: 5 },
        ],
        tooltip: { ...frame().tooltip, trigger: "item", formatter: (p) => { const one = d.below[p.dataIndex]; return one ? tip(`${pc(one.level)} % quantile`, [["Below it", `${pc(one.share).toFixed(1)} %`], ["95 % interval", `${pc(one.lower).toFixed(1)} to ${pc(one.upper).toFixed(1)} %`]]) : ""; } } };
    },

    // The share of outcomes inside the 80 % interval over time, of all rows and of their thirds by volatility.
    coverage(d, box) {
      const pc = (v) => (v == null ? null : +(100 * v).toFixed(2)), live = new Map(d.live), days = [...new Set([...d.days, ...live.keys()])].sort(), at = new Map(d.days.map((one, i) => [one, i]));
      const row = (list) => days.map((one) => pc(list[at.get(one)])), rows = { All: row(d.whole), Calm: row(d.calm), Middle: row(d.middle), Volatile: row(d.volatile), Live: days.map((one) => pc(live.get(one))) };
      const low = Math.floor(Math.min(70, ...Object.values(rows).flat().filter((v) => v != null)) / 10) * 10;
      return { ...frame(), grid: { outerBoundsMode: "none", left: 52, right: phone() ? 14 : 30, top: 10, bottom: 28 }, xAxis: axisX(days, box.clientWidth - 76), yAxis: axisY({ min: low, max: 100, interval: low < 50 ? 20 : 10, axisLabel: { formatter: (v) => `${v} %` } }),
        series: [
          line("Calm", rows.Calm, "base", 1.25, { z: 2 }), line("Middle", rows.Middle, "base", 1.25, { z: 2, lineStyle: { type: [6, 4] } }), line("Volatile", rows.Volatile, "fact", 1.5, { z: 2, lineStyle: { type: [2, 3] } }),
          line("All", rows.All, "model", 2.5, { z: 4, markLine: level(80, "ink-3", "solid") }),
          { name: "Live", type: "scatter", symbolSize: 8, data: rows.Live, itemStyle: { color: C.surface, borderColor: C.fact, borderWidth: 1.75 }, z: 5 },
        ],
        tooltip: { ...frame().tooltip, formatter: (p) => { const i = p[0].dataIndex; return tip(whole(days[i]), Object.entries(rows).map(([name, list]) => [name, list[i] == null ? "" : `${list[i].toFixed(1)} %`])); } } };
    },

    // Growth of one dollar in each backtest, each over its own sessions.
    equity(d, box) {
      const days = [...new Set(d.runs.flatMap((run) => run.days))].sort(), right = phone() ? 14 : 140;
      const series = d.runs.map((run) => { const at = new Map(run.days.map((one, i) => [one, +(100 * (run.value[i] - 1)).toFixed(2)])); return days.map((one) => at.get(one) ?? null); });
      return { ...frame(), grid: { outerBoundsMode: "none", left: 50, right, top: 12, bottom: 28 }, xAxis: axisX(days, box.clientWidth - right - 50), yAxis: axisY({ ...bounds(series, 7), axisLabel: { formatter: (v) => `${signed(v, 0)} %` } }),
        series: d.runs.map((run, n) => line(run.name, series[n], n ? "base" : "fact", n ? 1.25 : 2.5, { z: n ? 2 : 4, connectNulls: true, ...(n ? {} : { markLine: level(0, "line-strong", "solid") }), ...(phone() ? {} : { ...end(run.name, n ? "ink-3" : "ink", { fontSize: 11, fontWeight: n ? 450 : 600, width: 126, overflow: "truncate" }), labelLayout: { moveOverlap: "shiftY" } }) })),
        tooltip: { ...frame().tooltip, formatter: (p) => { const i = p[0].dataIndex; return tip(whole(days[i]), d.runs.map((run, n) => [`${run.name} ${run.id.slice(0, 4)}`, series[n][i] == null ? "" : `${signed(series[n][i], 1)} %`])); } } };
    },

    rolling(d, box) {
      return { ...frame(), grid: { outerBoundsMode: "none", left: 40, right: 14, top: 10, bottom: 26 }, xAxis: axisX(d.days, box.clientWidth - 60), yAxis: axisY({ splitNumber: 3, axisLabel: { formatter: (v) => plain(v) } }), series: [line("Sharpe ratio", d.rolling, "fact", 2, { markLine: level(0, "ink-3", "solid") })], tooltip: { ...frame().tooltip, formatter: (p) => { const value = d.rolling[p[0].dataIndex]; return tip(whole(d.days[p[0].dataIndex]), [["Sharpe ratio of half a year", value == null ? "too short" : plain(value, 2)]]); } } };
    },

    // The Sharpe ratio over two parameters of a sweep, one rectangle a variant.
    sweep(d, box) {
      const cells = d.cells.flatMap((row, y) => row.map((value, x) => [x, y, value])).filter((cell) => cell[2] != null), fill = (value) => alpha(C[value < 0 ? "minus-fill" : "plus-fill"], 0.12 + 0.78 * Math.min(Math.abs(value) / d.scale, 1));
      const axis = (data, name) => ({ type: "category", data, name, nameLocation: "middle", nameTextStyle: text(12), axisTick: { show: false }, axisLine: { show: false }, splitArea: { show: false }, axisLabel: text() });
      return { ...frame(), grid: { outerBoundsMode: "none", left: 84, right: 16, top: 10, bottom: 46 }, xAxis: { ...axis(d.columns, d.across), nameGap: 28 }, yAxis: { ...axis(d.rows, d.down), inverse: true, nameGap: 56 },
        series: [{ type: "custom", data: cells, encode: { x: 0, y: 1 }, renderItem: (_, api) => {
          const [x, y, value] = [api.value(0), api.value(1), api.value(2)], [mx, my] = api.coord([x, y]), [w, h] = api.size([1, 1]), best = d.best && d.best[0] === x && d.best[1] === y;
          return { type: "group", children: [{ type: "rect", shape: { x: mx - w / 2 + 1, y: my - h / 2 + 1, width: w - 2, height: h - 2, r: 3 }, style: { fill: fill(value), stroke: best ? C.ink : "none", lineWidth: best ? 2 : 0 } }, ...(w > 34 ? [{ type: "text", x: mx, y: my, style: { text: plain(value, 2), fill: C.ink, align: "center", verticalAlign: "middle", font: `${best ? 600 : 450} 12px ${text().fontFamily}` } }] : [])] };
        } }],
        tooltip: { ...frame().tooltip, trigger: "item", formatter: (p) => tip(`Sharpe ratio ${plain(p.value[2], 2)}`, [[d.across, d.columns[p.value[0]]], [d.down, d.rows[p.value[1]]]]) } };
    },
  };

  const live = document.createElement("p"); live.className = "sr"; live.setAttribute("role", "status"); document.body.append(live);
  const made = new Map();
  const data = (box) => JSON.parse(document.getElementById(box.dataset.source).textContent);
  function show(box) {
    const old = made.get(box), d = old?.d ?? data(box);
    const chart = old?.chart ?? echarts.init(box, null, { renderer: "svg" });
    chart.setOption(draw[box.dataset.chart](d, box), true);
    if (!old) {
      box.tabIndex = 0; let at = null;
      box.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], all = chart.getOption().series, series = all.findIndex((one) => one.type !== "custom" && one.data?.length > 2 && !one.silent), list = all[series]?.data ?? [];
        if (!step || !list.length) return;
        event.preventDefault();
        const known = list.map((one, i) => ((one?.value ?? one) == null ? -1 : i)).filter((i) => i >= 0), last = known.at(-1);
        at = at == null ? last : Math.min(Math.max(at + step, known[0]), last);
        chart.dispatchAction({ type: "showTip", seriesIndex: series, dataIndex: at });
        setTimeout(() => { live.textContent = box.querySelector(".tip")?.innerText.replace(/\s+/g, " ") ?? ""; }, 80);
      });
      box.addEventListener("blur", () => { at = null; chart.dispatchAction({ type: "hideTip" }); });
    }
    made.set(box, { chart, d, size: `${box.clientWidth} ${box.clientHeight}` });
  }
  function redraw() { read(); made.forEach((_, box) => show(box)); }
  read();
  const seen = new IntersectionObserver((found) => found.forEach(({ isIntersecting, target }) => { if (isIntersecting && !made.has(target)) { show(target); seen.unobserve(target); } }), { rootMargin: "400px" });
  const sized = new ResizeObserver((found) => found.forEach(({ target }) => { const one = made.get(target), size = `${target.clientWidth} ${target.clientHeight}`; if (one && one.size !== size) { one.size = size; one.chart.resize(); show(target); } }));
  const watch = (root) => root.querySelectorAll(".chart").forEach((box) => { if (!made.has(box)) { seen.observe(box); sized.observe(box); } });
  watch(document);
  document.addEventListener("htmx:load", (event) => { made.forEach((_, box) => { if (!box.isConnected) made.delete(box); }); watch(event.detail.elt.parentElement ?? document); });
  document.addEventListener("scheme", redraw);

  // ranges of the value picture
  document.addEventListener("click", (event) => {
    const press = event.target.closest("button[data-range]");
    if (!press) return;
    press.parentElement.querySelectorAll("button").forEach((one) => one.setAttribute("aria-pressed", String(one === press)));
    const box = document.getElementById("value"); box.dataset.range = press.dataset.range; show(box);
  });
  // which stored forecast is open
  const slider = document.getElementById("origin");
  slider?.addEventListener("input", () => {
    const box = document.getElementById("history"), d = data(box), fan = d.fans[+slider.value], known = fan.inside.filter((one) => one != null), kept = known.filter(Boolean).length;
    document.getElementById("origin-day").textContent = whole(fan.origin).slice(0, -5);
    document.getElementById("origin-says").textContent = `${known.length ? `${kept} of ${known.length} closes inside its band${known.length < fan.inside.length ? ", the others are to come" : ""}` : "No target has come yet"}. Model ${fan.model}.`;
    box.dataset.open = slider.value; show(box);
  });
})();
