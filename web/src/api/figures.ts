/** @file The figures, as `proto/analytics/v1/figures.proto` has them. */

import { type Asking, get } from "./request.ts";

/** What a figure is measured in. */
export type Unit = "count" | "minutes" | "days" | "ratio" | "money";
/** By what a metric can be told apart. */
export type Dimension = "clinic" | "practitioner" | "service" | "family" | "payer" | "age";
/** How long a group of a series is. */
export type Group = "hour" | "day" | "week" | "month";
/** What the overview is about. */
export type Period = Exclude<Group, "hour">;
/** What a figure belongs to. */
export type Topic = "patients" | "appointments" | "services" | "revenue" | "claims";
/** An earlier time to hold it against. */
export type Comparison = "previous-period" | "previous-year";

/** What is counted, and how. */
export interface Metric {
  metric: string;
  title: string;
  definition: string;
  unit: Unit;
  dimensions: Dimension[];
  finest: Group;
  topic: Topic;
}

/** One figure. */
export interface Cell {
  /** When its group begins, with the clinic's offset; empty of a total. */
  start: string;
  /** Not there where it is suppressed, or where nothing is divided. */
  value?: number;
  suppressed: boolean;
  /** When something came that belongs to a group that was over. */
  restatedTime?: string;
}

/** A metric over time, for one value of a dimension and one currency. */
export interface Series {
  key: string;
  currencyCode: string;
  items: Cell[];
  total: Cell;
  compared?: Cell;
  comparedItems: Cell[];
}

/** One metric over time. */
export interface MetricAnswer {
  metric: Metric;
  timeZone: string;
  group: Group;
  from: string;
  to: string;
  series: Series[];
  asOf?: string;
}

/** One figure beside that of the period before and of the year before. */
export interface OverviewItem {
  metric: string;
  currencyCode: string;
  current: Cell;
  previousPeriod: Cell;
  previousYear: Cell;
}

/** One figure of each metric. */
export interface Overview {
  timeZone: string;
  period: Period;
  from: string;
  to: string;
  items: OverviewItem[];
  asOf?: string;
  change: string;
}

/** What the stream says: what has become another. */
export interface OverviewChange {
  eventId: string;
  items: OverviewItem[];
  restated: string[];
  asOf?: string;
  time: string;
}

/** What of a metric is asked for. */
export interface MetricQuery {
  from?: string | undefined;
  to?: string | undefined;
  group?: Group | undefined;
  by?: Dimension | undefined;
  clinicId?: string | undefined;
  compare?: Comparison | undefined;
}

/** Where the stream of changes is. */
export const STREAM = "/api/analytics/stream";

/** What is counted. */
export async function listMetrics(asking?: Asking): Promise<Metric[]> {
  return (await get<{ items: Metric[] }>("/api/analytics/metrics", asking)).items;
}

/** One metric over time. */
export function getMetric(metric: string, query: MetricQuery, asking?: Asking): Promise<MetricAnswer> {
  return get(`/api/analytics/metrics/${encodeURIComponent(metric)}${queryString({ ...query })}`, asking);
}

/** One figure of each metric. */
export function getOverview(query: { period: Period; clinicId?: string | undefined }, asking?: Asking): Promise<Overview> {
  return get(`/api/analytics/overview${queryString({ ...query })}`, asking);
}

/** The address of a metric as a table of comma-separated values. */
export function exportAddress(metric: string, query: MetricQuery): string {
  return `/api/analytics/metrics/${encodeURIComponent(metric)}/export${queryString({ ...query })}`;
}

function queryString(query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
