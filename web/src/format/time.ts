/** @file Times as the clinic's clock and the reader's language have them. */

import type { Group } from "../api/figures.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(locale: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([locale, options]);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}

/** How long the name of a group may be. */
export type Length = "axis" | "full";

const GROUPS: Record<Group, Record<Length, Intl.DateTimeFormatOptions>> = {
  hour: { axis: { hour: "numeric" }, full: { weekday: "short", hour: "numeric", minute: "2-digit" } },
  day: { axis: { day: "numeric", month: "short" }, full: { weekday: "short", day: "numeric", month: "short", year: "numeric" } },
  week: { axis: { day: "numeric", month: "short" }, full: { day: "numeric", month: "short", year: "numeric" } },
  month: { axis: { month: "short" }, full: { month: "long", year: "numeric" } },
};

/** The name of the group that begins at `start`. */
export function formatGroup(start: string, group: Group, timeZone: string, length: Length, locale?: string): string {
  const text = dateFormat(locale, { ...GROUPS[group][length], timeZone }).format(new Date(start));
  return group === "week" && length === "full" ? `Week of ${text}` : text;
}

/** Hours and minutes of the clinic's clock. */
export function formatClock(time: number | string, timeZone: string | undefined, locale?: string): string {
  return dateFormat(locale, { hour: "numeric", minute: "2-digit", ...(timeZone && { timeZone }) }).format(new Date(time));
}

/** A day and a time of the clinic's clock. */
export function formatMoment(time: string, timeZone: string, locale?: string): string {
  const options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", hour: "numeric", minute: "2-digit", timeZone };
  return dateFormat(locale, options).format(new Date(time));
}

/** "3 s ago", "2 min ago"; to the second only while that is worth looking at. */
export function ago(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

/** The date of a moment in a zone: "2026-11-23". */
export function dateIn(timeZone: string, moment: number | string): string {
  const options: Intl.DateTimeFormatOptions = { timeZone, year: "numeric", month: "2-digit", day: "2-digit", calendar: "iso8601" };
  const parts = new Map(dateFormat("en-US", options).formatToParts(new Date(moment)).map(({ type, value }) => [type, value]));
  return `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
}

/** The first day of the range of `count` groups of which the last holds `date`. Weeks begin on Monday. */
export function rangeStart(date: string, group: Group, count: number): string {
  const first = new Date(`${date}T00:00:00Z`);
  const earlier = count - 1;
  if (group === "month") first.setUTCMonth(first.getUTCMonth() - earlier, 1);
  else if (group === "week") first.setUTCDate(first.getUTCDate() - ((first.getUTCDay() + 6) % 7) - 7 * earlier);
  else if (group === "day") first.setUTCDate(first.getUTCDate() - earlier);
  return first.toISOString().slice(0, 10);
}
