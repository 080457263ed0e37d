/** @file Reads out that figures have changed, and is not chatty. */

import { useRef, useState } from "react";

import type { Metric } from "../api/figures.ts";
import { useTold } from "../live/LiveProvider.tsx";

/** A clinic changes all the time; who listens to the page is told at most this often. */
const APART = 30_000;
/** More names than that nobody wants to hear. */
const NAMED = 3;

/** A polite region. What changes meanwhile is told together the next time. */
export function Announcer({ metrics, shown }: { metrics: Map<string, Metric>; shown: boolean }) {
  const [words, setWords] = useState("");
  const waiting = useRef(new Set<string>());
  const last = useRef(0);
  useTold(({ change, first }) => {
    if (first) return;
    for (const { metric } of change.items) waiting.current.add(metrics.get(metric)?.title ?? metric);
    if (!shown || waiting.current.size === 0 || Date.now() - last.current < APART) return;
    last.current = Date.now();
    setWords(announcement([...waiting.current]));
    waiting.current.clear();
  });
  return (
    <p className="visually-hidden" role="status">
      {words}
    </p>
  );
}

/** "Updated: Registrations, Bookings, Collected and 4 more." */
export function announcement(titles: string[]): string {
  const named = titles.slice(0, NAMED).join(", ");
  const more = titles.length - NAMED;
  return more > 0 ? `Updated: ${named} and ${more} more.` : `Updated: ${named}.`;
}
