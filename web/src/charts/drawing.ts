/** @file The arithmetic of drawing. */

import type { Unit } from "../api/figures.ts";
import { type Chart, type Line, MOST_LINES } from "./chart.ts";

/** Dashes that tell lines apart for who does not see their colours. */
const DASHES = [[], [9, 4], [3, 3], [12, 3, 3, 3], [6, 6], [2, 5]];

/** How the line at a place is dashed; one of an earlier period is dotted. */
export function dashOf(line: Line, at: number): number[] {
  return line.earlier ? [2, 4] : (DASHES[at % DASHES.length] ?? []);
}

/** Groups by their place, and the values of each line. Layers of a stack are summed, the whole first. */
export function alignedData({ starts, lines }: Chart, kind: "lines" | "stacked"): [number[], ...(number | null)[][]] {
  const drawn = lines.slice(0, MOST_LINES).map((line) => starts.map((_, at) => line.cells[at]?.value ?? null));
  const places = starts.map((_, at) => at);
  if (kind === "lines") return [places, ...drawn];
  const sums = places.map(() => 0);
  const layers = drawn.map((values) => values.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0))));
  return [places, ...layers.toReversed()];
}

/** The places of values that have none beside them: a line through them would have no length, so they are drawn as dots. */
export function lonePlaces(values: ArrayLike<number | null | undefined>): number[] {
  const has = (at: number) => (values[at] ?? null) !== null;
  return Array.from({ length: values.length }, (_, at) => at).filter((at) => has(at) && !has(at - 1) && !has(at + 1));
}

/** From nought, or below it where something is, to a bit above the highest. */
export function niceRange(low: number | null, high: number | null, unit: Unit): [number, number] {
  const [bottom, top] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)];
  const room = (top - bottom) * 0.08;
  if (room === 0) return [0, unit === "ratio" ? 0.1 : 4];
  return [bottom < 0 ? bottom - room : 0, unit === "ratio" ? Math.min(1.02, top + room) : top + room];
}

/** The places that have a label: as many as there is room for, counted back from the newest. */
export function splitEvery(count: number, width: number): number[] {
  const every = Math.max(1, Math.ceil(count / Math.max(1, Math.floor(width / 62))));
  const places: number[] = [];
  for (let at = count - 1; at >= 0; at -= every) places.unshift(at);
  return places;
}
