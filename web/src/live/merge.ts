/** @file What the stream says, put into what is shown. */

import type { Overview, OverviewItem } from "../api/figures.ts";

/** What tells one figure of an overview from another. */
export function itemKey({ metric, currencyCode }: Pick<OverviewItem, "metric" | "currencyCode">): string {
  return `${metric} ${currencyCode}`;
}

/** An overview with newer figures in the place of older ones; a currency that is new is added behind. */
export function mergeItems(overview: Overview, items: OverviewItem[], asOf?: string): Overview {
  if (items.length === 0 && !asOf) return overview;
  const newer = new Map(items.map((item) => [itemKey(item), item]));
  const merged = overview.items.map((item) => {
    const key = itemKey(item);
    const replaced = newer.get(key) ?? item;
    newer.delete(key);
    return replaced;
  });
  return { ...overview, items: [...merged, ...newer.values()], ...(asOf && { asOf }) };
}

/** Whether two figures are the same to who reads them. */
export function sameFigure(one: OverviewItem, other: OverviewItem): boolean {
  return one.current.value === other.current.value && one.current.suppressed === other.current.suppressed;
}

/** Whether the stream's figures, which are of the present day of all clinics, belong to an overview. */
export function isOfToday(overview: Overview, clinicId: string): boolean {
  return overview.period === "day" && clinicId === "";
}

/** Whether the period of an overview was over when the server said something. */
export function isOver(overview: Overview, time: string): boolean {
  const end = Date.parse(overview.to);
  return Number.isFinite(end) && Date.parse(time) >= end;
}
