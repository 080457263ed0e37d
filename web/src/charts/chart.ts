/** @file What a chart shows, made of the answers about its metrics. */

import type { Cell, Group, MetricAnswer, Series, Unit } from "../api/figures.ts";
import { formatCell, type Style } from "../format/figure.ts";
import { formatGroup } from "../format/time.ts";

/** One line, or one layer of bars. */
export interface Line {
  label: string;
  cells: Cell[];
  total: Cell;
  /** It is of an earlier period, and drawn dashed. */
  earlier: boolean;
}

/** Everything that one chart shows, and its table. */
export interface Chart {
  group: Group;
  timeZone: string;
  unit: Unit;
  currencyCode: string;
  /** When each group begins. */
  starts: string[];
  lines: Line[];
  /** When the last group ends. */
  to: string;
}

/** As many lines as can be told apart. */
export const MOST_LINES = 6;

/** The currencies that an answer has figures in. */
export function currenciesOf(answers: MetricAnswer[]): string[] {
  return [...new Set(answers.flatMap((answer) => answer.series.map((series) => series.currencyCode)))].filter(Boolean).sort();
}

/** One line for each metric, by its title; for metrics that are not told apart by anything. */
export function chartOfMetrics(answers: MetricAnswer[], currencyCode: string): Chart | null {
  const first = answers[0];
  if (!first) return null;
  const lines = answers.flatMap((answer) => inCurrency(answer, currencyCode).map((series) => lineOf(series, answer.metric.title)));
  return chart(first, currencyCode, lines);
}

/** One line for each value of a dimension, the largest first, and the earlier period where it was asked for. */
export function chartOfSeries(answer: MetricAnswer, currencyCode: string, nameOf: (key: string) => string): Chart {
  const series = inCurrency(answer, currencyCode).toSorted((one, other) => (other.total.value ?? 0) - (one.total.value ?? 0));
  const lines = series.flatMap((each) => {
    const label = nameOf(each.key) || answer.metric.title;
    const line = lineOf(each, label);
    if (each.comparedItems.length === 0) return [line];
    const total = each.compared ?? { start: "", suppressed: false };
    return [line, { label: `${label}, earlier`, cells: each.comparedItems, total, earlier: true }];
  });
  return chart(answer, currencyCode, lines);
}

function inCurrency(answer: MetricAnswer, currencyCode: string): Series[] {
  return answer.series.filter((series) => series.currencyCode === "" || series.currencyCode === currencyCode);
}

function lineOf(series: Series, label: string): Line {
  return { label, cells: series.items, total: series.total, earlier: false };
}

function chart(answer: MetricAnswer, currencyCode: string, lines: Line[]): Chart {
  const { group, timeZone, metric } = answer;
  const longest = lines.find((line) => !line.earlier) ?? lines[0];
  return { group, timeZone, unit: metric.unit, currencyCode: metric.unit === "money" ? currencyCode : "", starts: longest?.cells.map((cell) => cell.start) ?? [], lines, to: answer.to };
}

/** How the figures of a chart are written. */
export function styleOf({ unit, currencyCode }: Chart): Style {
  return { unit, currencyCode };
}

/** Whether there is nothing at all in it: no figure, and none that is kept back. A rate of 0 is a figure; 0 things are none. */
export function isEmpty({ lines, unit }: Chart): boolean {
  const counted = unit === "count" || unit === "money";
  const tells = ({ value, suppressed }: Cell) => suppressed || (counted ? Boolean(value) : value !== undefined);
  return !lines.some((line) => line.cells.some(tells));
}

/** The groups of which something came later. */
export function restatedGroups({ lines, starts }: Chart): number[] {
  return starts.flatMap((_, index) => (lines.some((line) => !line.earlier && line.cells[index]?.restatedTime) ? [index] : []));
}

/** What is to be known of a last week or month of which there are a few days only: it is no collapse. */
export function notOver({ group, to }: Chart, now: number): string {
  return (group === "week" || group === "month") && Date.parse(to) > now ? `The ${group} is not over` : "";
}

/** How many groups have a figure that is kept back. */
export function suppressedGroups({ lines, starts }: Chart): number {
  return starts.filter((_, index) => lines.some((line) => line.cells[index]?.suppressed)).length;
}

/** The name of a group. */
export function groupName(chart: Chart, index: number, length: "axis" | "full" = "full", locale?: string): string {
  const start = chart.starts[index];
  return start ? formatGroup(start, chart.group, chart.timeZone, length, locale) : "";
}

/** The chart in sentences: for each line what it comes to, where it is highest, and where it ends. */
export function summarise(chart: Chart, locale?: string): string {
  const { starts, lines } = chart;
  const style: Style = { ...styleOf(chart), ...(locale && { locale }) };
  if (starts.length === 0 || lines.length === 0) return "There are no figures.";
  const range = starts.length === 1 ? groupName(chart, 0, "full", locale) : `${groupName(chart, 0, "full", locale)} to ${groupName(chart, starts.length - 1, "full", locale)}`;
  const sentences = lines.slice(0, MOST_LINES).map((line) => {
    const values = line.cells.flatMap((cell, index) => (cell.value === undefined ? [] : [{ value: cell.value, index }]));
    const highest = values.toSorted((one, other) => other.value - one.value)[0];
    const latest = values.at(-1);
    const total = `${line.label}: ${formatCell(line.total, style)} in all`;
    if (!highest || !latest) return `${total}.`;
    const peak = formatCell(line.cells[highest.index], style);
    return `${total}, highest ${peak} (${groupName(chart, highest.index, "full", locale)}), latest ${formatCell(line.cells[latest.index], style)}.`;
  });
  const unfinished = notOver(chart, Date.now());
  return `By ${chart.group}, ${range}. ${sentences.join(" ")}${unfinished && ` ${unfinished}.`}`;
}
