/** @file Which tiles and charts the overview has. What the server does not count is left out. */

import type { Dimension, Group, Metric, MetricQuery, Period, Topic } from "../api/figures.ts";
import type { Kind } from "../charts/Plot.tsx";
import { rangeStart } from "../format/time.ts";

/** A chart of the overview. */
export interface PanelPlan {
  title: string;
  topic: Topic;
  metrics: string[];
  kind: Kind | "bars";
  /** By what its bars are told apart. */
  by?: Dimension;
  /** `hours` is today, hour by hour; `now` is how it stands today; `groups` goes with the period that was chosen. */
  span: "hours" | "now" | "groups";
  /** Groups that are too fine to say anything are drawn by these. */
  coarsest?: Group;
}

/** How many groups a chart has. */
export const GROUPS: Record<Group, number> = { hour: 24, day: 30, week: 26, month: 12 };

const ORDER: Group[] = ["hour", "day", "week", "month"];

/** The coarser of two groups. */
export function coarser(one: Group, other: Group): Group {
  return ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other;
}

/** The groups that a metric is told by. */
export function groupsOf(metric: Metric): Group[] {
  return ORDER.slice(ORDER.indexOf(metric.finest));
}

/** The group of a chart: as the period that was chosen, or as fine as the metric and the chart allow. */
export function groupFor(period: Period, metrics: Metric[], coarsest: Group = "day"): Group {
  return metrics.reduce((group, metric) => coarser(group, metric.finest), coarser(period, coarsest));
}

/** The charts, in the order of the page. */
export const PANELS: PanelPlan[] = [
  { title: "Patient load by hour, today", topic: "patients", metrics: ["patient-load"], kind: "lines", span: "hours" },
  { title: "Registrations, new and returning patients", topic: "patients", metrics: ["registrations", "new-patients", "returning-patients"], kind: "lines", span: "groups" },
  { title: "Appointments kept, missed and cancelled", topic: "appointments", metrics: ["appointments-kept", "no-shows", "appointments-cancelled"], kind: "stacked", span: "groups" },
  { title: "Waiting time and length of a visit, medians", topic: "appointments", metrics: ["wait-time-median", "cycle-time-median"], kind: "lines", span: "groups" },
  { title: "Top services by units, last 30 days", topic: "services", metrics: ["service-units"], kind: "bars", by: "service", span: "groups", coarsest: "day" },
  { title: "Encounters", topic: "services", metrics: ["encounters"], kind: "lines", span: "groups" },
  { title: "Charged, allowed and collected", topic: "revenue", metrics: ["charged", "allowed", "collected"], kind: "lines", span: "groups", coarsest: "week" },
  { title: "Outstanding by age, now", topic: "revenue", metrics: ["receivables-by-age"], kind: "bars", by: "age", span: "now" },
  { title: "Claims submitted, answered and denied", topic: "claims", metrics: ["claims-submitted", "claims-answered", "claims-denied"], kind: "lines", span: "groups", coarsest: "week" },
  { title: "First-pass and denial rate", topic: "claims", metrics: ["first-pass-rate", "denial-rate"], kind: "lines", span: "groups", coarsest: "week" },
];

/** What a chart asks for; nothing as long as nobody knows which day it is at the clinic. */
export function queryOf(plan: PanelPlan, metrics: Metric[], { period, clinicId, today }: { period: Period; clinicId: string; today: string }): MetricQuery | null {
  if (!today) return null;
  const clinic = clinicId || undefined;
  if (plan.span === "hours") return { from: today, group: "hour", clinicId: clinic };
  if (plan.span === "now") return { from: today, group: "day", by: plan.by, clinicId: clinic };
  const group = plan.kind === "bars" ? "day" : groupFor(period, metrics, plan.coarsest);
  return { from: rangeStart(today, group, GROUPS[group]), group, by: plan.by, clinicId: clinic };
}

/** What a manager looks at first, by topic. */
const FIRST: Record<Topic, string[]> = {
  patients: ["patient-load", "registrations", "new-patients", "returning-patients"],
  appointments: ["appointments-booked", "appointments-kept", "no-show-rate", "wait-time-median", "utilisation"],
  services: ["encounters", "service-units"],
  revenue: ["charged", "collected", "outstanding", "net-collection-rate", "days-in-ar"],
  claims: ["claims-submitted", "claims-denied", "denial-rate", "first-pass-rate"],
};

/** How many tiles a topic has on the overview. */
export const TILES = 5;

/** The tiles of a topic on the overview: what a manager looks at first, else the first that the server names. */
export function tilesOf(topic: Topic, metrics: Map<string, Metric>): Metric[] {
  const first = FIRST[topic].flatMap((name) => metrics.get(name) ?? []);
  return first.length > 0 ? first : [...metrics.values()].filter((metric) => metric.topic === topic).slice(0, TILES);
}

/** The charts of a topic of which the server counts something. */
export function panelsOf(topic: Topic, metrics: Map<string, Metric>): PanelPlan[] {
  return PANELS.filter((panel) => panel.topic === topic && panel.metrics.some((name) => metrics.has(name)));
}

/** How many tiles to keep a place for while the list of metrics is loaded. */
export function placesOf(topic: Topic): number {
  return FIRST[topic].length;
}
