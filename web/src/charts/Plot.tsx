/** @file The drawing of a chart, and its cursor for pointer and keyboard. */

import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import uPlot from "uplot";

import { formatCell, formatValue } from "../format/figure.ts";
import { type Chart, groupName, MOST_LINES, notOver, restatedGroups, styleOf, summarise } from "./chart.ts";
import { alignedData, dashOf, lonePlaces, niceRange, splitEvery } from "./drawing.ts";

/** How figures are drawn: as lines, or as bars of which each stands on the one before. */
export type Kind = "lines" | "stacked";

const HEIGHT = 220;
/** With so few groups each has a dot. */
const MOST_DOTS = 14;

/** Draws a chart. Beside it stands a table with the same figures, so it is a picture with a summary to who cannot see it. */
export function Plot({ chart, kind, title }: { chart: Chart; kind: Kind; title: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const [spoken, setSpoken] = useState("");
  const summaryId = useId();
  const summary = useMemo(() => summarise(chart), [chart]);
  const lines = chart.lines.slice(0, MOST_LINES);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const drawn = new uPlot(optionsOf(chart, kind, element, setIndex), alignedData(chart, kind), element);
    plot.current = drawn;
    const fit = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    fit.observe(element);
    const redraw = () => drawn.redraw(false);
    const schemes = ["(prefers-color-scheme: dark)", "print"].map((query) => matchMedia(query));
    addEventListener("themechange", redraw);
    for (const scheme of schemes) scheme.addEventListener("change", redraw);
    return () => {
      fit.disconnect();
      removeEventListener("themechange", redraw);
      for (const scheme of schemes) scheme.removeEventListener("change", redraw);
      drawn.destroy();
      plot.current = null;
    };
  }, [chart, kind]);

  const last = chart.starts.length - 1;
  const shown = index !== null && index >= 0 && index <= last ? index : null;
  const style = styleOf(chart);

  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: (shown ?? last + 1) - 1, ArrowRight: (shown ?? last - 1) + 1, Home: 0, End: last };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(last, next));
    const drawn = plot.current;
    drawn?.setCursor({ left: drawn.valToPos(to, "x"), top: drawn.bbox.height / devicePixelRatio / 2 });
    setIndex(to);
    setSpoken(`${groupName(chart, to)}: ${lines.map((line) => `${line.label} ${formatCell(line.cells[to], style)}`).join(", ")}`);
  };

  return (
    <div className="plot">
      <ul className="legend" aria-hidden="true">
        {lines.map((line, at) => (
          // Two may be called the same.
          <li key={at}>
            <svg viewBox="0 0 22 10" className={`series-${(at % MOST_LINES) + 1}`}>
              {kind === "stacked" ? <rect width="12" x="5" height="10" rx="2" /> : <path d="M1 5h20" strokeDasharray={dashOf(line, at).map((part) => part / 1.5).join(" ")} />}
            </svg>
            {line.label}
            <b>{shown === null ? "" : formatCell(line.cells[shown], style)}</b>
          </li>
        ))}
        <li className="legend-group">{shown === null ? notOver(chart, Date.now()) : groupName(chart, shown)}</li>
      </ul>
      <div
        className="plot-frame"
        ref={frame}
        // It takes the arrow keys, so it has to take the focus.
        tabIndex={0}
        role="group"
        aria-roledescription="chart"
        aria-label={`${title}. Arrow keys go from one ${chart.group} to the next.`}
        aria-describedby={summaryId}
        onKeyDown={move}
        onBlur={() => setSpoken("")}
      />
      <p className="visually-hidden" id={summaryId}>
        {summary}
      </p>
      <p className="visually-hidden" role="status">
        {spoken}
      </p>
    </div>
  );
}

function optionsOf(chart: Chart, kind: Kind, element: HTMLElement, setIndex: (index: number | null) => void): uPlot.Options {
  const colour = (name: string) => () => getComputedStyle(element).getPropertyValue(name).trim();
  const style = { ...styleOf(chart), compact: true };
  const count = chart.starts.length;
  const lines = chart.lines.slice(0, MOST_LINES);
  const restated = restatedGroups(chart);
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const bars = uPlot.paths.bars?.({ size: [0.72, 36] });
  const series = lines.map((line, at): uPlot.Series => {
    const own = colour(`--series-${at + 1}`);
    if (kind === "stacked") return { stroke: own, fill: own, width: 0, ...(bars && { paths: bars }), points: { show: false } };
    const each = count <= MOST_DOTS;
    // Where not every group has a dot, one has it still that no line goes through: nothing would be seen of it otherwise.
    const filter = (u: uPlot, place: number) => (each ? null : lonePlaces(u.data[place] ?? []));
    return { stroke: own, width: 2, dash: dashOf(line, at), points: { show: each, filter, size: each ? 5 : 7, fill: own }, spanGaps: false };
  });
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [12, 26, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: [-0.5, Math.max(count - 0.5, 0.5)] },
      y: { range: (_, low, high) => niceRange(low, high, chart.unit) },
    },
    // A stack is drawn from the whole down to its lowest layer.
    series: [{}, ...(kind === "stacked" ? series.toReversed() : series)],
    axes: [
      {
        stroke: colour("--ink-2"),
        font,
        size: 30,
        gap: 4,
        grid: { show: false },
        ticks: { stroke: colour("--line"), size: 4 },
        splits: (u) => splitEvery(count, u.bbox.width / devicePixelRatio),
        values: (_, splits) => splits.map((at) => groupName(chart, at, "axis")),
      },
      {
        stroke: colour("--ink-2"),
        font,
        size: (_, values) => 14 + 7 * Math.max(3, ...(values ?? []).map((value) => value.length)),
        grid: { stroke: colour("--line-faint"), width: 1 },
        ticks: { show: false },
        space: 36,
        ...(chart.unit === "count" && { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7] }),
        values: (_, splits) => splits.map((value) => formatValue(value, style)),
      },
    ],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: kind === "lines" } },
    hooks: {
      setCursor: [(u) => setIndex(u.cursor.idx ?? null)],
      draw: [
        (u) => {
          // A group that was restated has a mark above it; the text below says which.
          u.ctx.fillStyle = colour("--mark")();
          const size = 4 * devicePixelRatio;
          for (const at of restated) {
            const [x, y] = [u.valToPos(at, "x", true), u.bbox.top - 2 * devicePixelRatio];
            u.ctx.beginPath();
            u.ctx.moveTo(x, y);
            u.ctx.lineTo(x - size, y - 1.5 * size);
            u.ctx.lineTo(x + size, y - 1.5 * size);
            u.ctx.fill();
          }
        },
      ],
    },
  };
}
