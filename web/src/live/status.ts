/** @file How fresh the figures are, by what was heard of the server and when. */

/** What is known of the stream, in milliseconds of one clock. */
export interface Link {
  /** Whether the stream is open, as far as the browser knows. */
  open: boolean;
  /** When the page began to listen. */
  since: number;
  /** When something was heard last; null before anything was. */
  heardAt: number | null;
}

/** How fresh the figures are. */
export type Freshness =
  | { kind: "connecting" }
  | { kind: "live"; heardAt: number }
  | { kind: "reconnecting"; heardAt: number }
  | { kind: "stale"; since: number | null };

/** The server says something every few seconds, so a stream that is silent for longer is none. */
export const SILENCE = 25_000;
/** A break that is shorter is nothing to worry anybody with. */
const BREAK = 30_000;

/** How fresh the figures are now. */
export function freshness({ open, since, heardAt }: Link, now: number): Freshness {
  if (heardAt === null) return now - since < BREAK ? { kind: "connecting" } : { kind: "stale", since: null };
  const silent = now - heardAt;
  if (open && silent <= SILENCE) return { kind: "live", heardAt };
  return silent <= BREAK ? { kind: "reconnecting", heardAt } : { kind: "stale", since: heardAt };
}

/** How long to wait before the n-th attempt to open a refused stream, n counted from 0; `chance` is from 0 to 1. */
export function pause(attempt: number, chance: number): number {
  const longest = Math.min(30_000, 1_000 * 2 ** attempt);
  return longest / 2 + (longest / 2) * chance;
}
