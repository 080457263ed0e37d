/** @file Figures for any question, the same each time: a clinic with weekdays, busy hours and a bit of chance. */

import type { Cell, Dimension, Group, MetricAnswer, Overview, OverviewItem, Period, Series } from "../../src/api/figures.ts";
import { NAMED, type Sample, SAMPLES } from "./metrics.ts";

/** The moment at which the clinic stands still: a Tuesday at twenty past two. */
export const NOW = Date.parse("2026-11-24T14:20:00-05:00");
/** Where the clinic is. */
export const ZONE = "America/New_York";
const OFFSET = "-05:00";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const HOURS = [0, 0, 0, 0, 0, 0, 0, 0.06, 0.12, 0.15, 0.14, 0.12, 0.07, 0.1, 0.12, 0.1, 0.07, 0.03];
const AGES: [string, number][] = [["0-30", 0.52], ["31-60", 0.22], ["61-90", 0.14], ["91-120", 0.07], ["120+", 0.05]];

/** What of it differs from one test to another. */
export interface Oddities {
  /** Metrics that are kept back today. */
  suppressed: Set<string>;
  /** Metrics of which something came later. */
  restated: Set<string>;
  /** Metrics of which there is nothing. */
  missing: Set<string>;
  /** Metrics that have a value in these groups alone, by their place from the first. */
  sparse: Map<string, Set<number>>;
}

/** A number from 0 to 1 that is the same for the same text. */
function chance(text: string): number {
  let hash = 2_166_136_261;
  for (const letter of text) hash = Math.imul(hash ^ letter.charCodeAt(0), 16_777_619);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

const local = (time: number) => new Date(time - 5 * HOUR).toISOString();
const startText = (time: number) => `${local(time).slice(0, 19)}${OFFSET}`;
const midnight = (date: string) => Date.parse(`${date.slice(0, 10)}T00:00:00${OFFSET}`);

/** The beginnings of the groups from a date until now. */
function groupsSince(from: number, group: Group): number[] {
  const starts: number[] = [];
  for (let at = from; at <= NOW; ) {
    starts.push(at);
    if (group === "month") {
      const next = new Date(at - 5 * HOUR);
      next.setUTCMonth(next.getUTCMonth() + 1, 1);
      at = next.getTime() + 5 * HOUR;
    } else at += { hour: HOUR, day: DAY, week: 7 * DAY }[group];
  }
  return starts;
}

/** What is as high as it is, however long the group. */
const LEVELS = new Set(["outstanding", "panel", "receivables-by-age"]);

/** A figure of the group that begins at a time, for one value of a dimension. */
function valueAt(sample: Sample, at: number, group: Group, key: string, share: number): number {
  const noise = 0.8 + 0.4 * chance(`${sample.metric}${key}${local(at)}${group}`);
  if (!["count", "money"].includes(sample.unit)) {
    const value = sample.usual * (0.85 + (noise - 0.8) * 0.75);
    return sample.unit === "ratio" ? Math.min(1, Number(value.toFixed(4))) : Number(value.toFixed(1));
  }
  if (LEVELS.has(sample.metric)) return Math.round(sample.usual * share * (0.95 + noise / 20));
  const day = new Date(at - 5 * HOUR).getUTCDay();
  const size = { hour: HOURS[new Date(at - 5 * HOUR).getUTCHours()] ?? 0, day: day === 0 ? 0.04 : day === 6 ? 0.35 : 1, week: 5.4, month: 23 }[group];
  return Math.round(sample.usual * share * size * noise);
}

/** Answers a question for one metric. */
export function answerMetric(sample: Sample, query: URLSearchParams, odd: Oddities): MetricAnswer {
  const group = (query.get("group") ?? "day") as Group;
  const by = query.get("by") as Dimension | null;
  const from = query.get("from") ? midnight(query.get("from") ?? "") : NOW - 29 * DAY;
  const starts = odd.missing.has(sample.metric) ? [] : groupsSince(group === "hour" ? from : midnight(local(from)), group);
  const share = query.get("clinicId") ? 0.4 : 1;
  const keys: [string, number][] = by === "age" ? AGES : by ? keysOf(sample, by).map((key, at) => [key, 0.42 / (at + 1)]) : [["", 1]];
  const compare = query.get("compare");
  const series = keys.map(([key, part]): Series => {
    const items = starts.map((at, place): Cell => {
      const start = startText(at);
      if (odd.suppressed.has(sample.metric) && place % 7 === 5) return { start, suppressed: true };
      if (odd.sparse.get(sample.metric)?.has(place) === false) return { start, suppressed: false };
      const restated = odd.restated.has(sample.metric) && place === starts.length - 4;
      return { start, suppressed: false, value: valueAt(sample, at, group, key, part * share), ...(restated && { restatedTime: "2026-11-24T13:05:00Z" }) };
    });
    const earlier = compare ? starts.map((at): Cell => ({ start: startText(at - 364 * DAY), suppressed: false, value: valueAt(sample, at - 364 * DAY, group, key, part * share * 0.93) })) : [];
    return {
      key,
      currencyCode: sample.unit === "money" ? "USD" : "",
      items,
      total: totalOf(sample, items),
      comparedItems: earlier,
      ...(compare && { compared: totalOf(sample, earlier) }),
    };
  });
  const { usual: _, ...metric } = sample;
  return { metric, timeZone: ZONE, group, from: startText(starts[0] ?? NOW), to: startText(midnight(local(NOW)) + DAY), series, asOf: new Date(NOW - 2_000).toISOString() };
}

/** The values of a dimension. What was done and is paid for is told by code, what was booked by id. */
function keysOf(sample: Sample, by: Dimension): string[] {
  const coded = by === "service" && sample.topic !== "appointments";
  if (by === "family") return ["evaluation-and-management", "laboratory"];
  return (NAMED[by] ?? []).map(({ id, payerId, priceCode }) => (coded ? priceCode?.code : (payerId ?? id)) ?? "");
}

function totalOf(sample: Sample, items: Cell[]): Cell {
  const values = items.flatMap((item) => item.value ?? []);
  const sum = values.reduce((all, value) => all + value, 0);
  const adds = ["count", "money"].includes(sample.unit) && !LEVELS.has(sample.metric);
  const value = adds ? sum : values.length > 0 ? Number((sum / values.length).toFixed(4)) : undefined;
  return { start: "", suppressed: false, ...(value !== undefined && { value }) };
}

/** One figure of the overview. */
export function itemOf(sample: Sample, period: Period, share: number, odd: Oddities): OverviewItem {
  const start = startText(midnight(local(NOW)));
  const cell = (daysAgo: number, part: number): Cell => ({ start, suppressed: false, value: valueAt(sample, midnight(local(NOW)) - daysAgo * DAY, period, "", part) });
  const so = { day: 0.62, week: 0.34, month: 0.78 }[period] * share;
  let current = cell(0, so);
  if (odd.suppressed.has(sample.metric)) current = { start, suppressed: true };
  else if (odd.missing.has(sample.metric)) current = { start, suppressed: false };
  if (odd.restated.has(sample.metric)) current.restatedTime = "2026-11-24T13:05:00Z";
  return { metric: sample.metric, currencyCode: sample.unit === "money" ? "USD" : "", current, previousPeriod: cell({ day: 1, week: 7, month: 30 }[period], so), previousYear: cell(364, so * 0.93) };
}

/** The overview of a period. */
export function overviewOf(period: Period, clinicId: string | null, odd: Oddities): Overview {
  const today = midnight(local(NOW));
  const from = { day: today, week: today - DAY, month: midnight("2026-11-01") }[period];
  return {
    timeZone: ZONE,
    period,
    from: period === "month" ? "2026-11-01T00:00:00-04:00" : startText(from),
    to: startText({ day: today + DAY, week: today + 6 * DAY, month: midnight("2026-12-01") }[period]),
    items: SAMPLES.map((sample) => itemOf(sample, period, clinicId ? 0.4 : 1, odd)),
    asOf: new Date(NOW - 2_000).toISOString(),
    change: "100",
  };
}
