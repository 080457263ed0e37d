/** @file When to ask whether the session is still open, from what the server said and what the user did. */

/** How long before the lock the page says so: time enough to press a key. */
export const WARNING = 60_000;
/** How often what the user does is told at most. */
export const ATTEND_EVERY = 60_000;

/** What is known of how idle the session is, in milliseconds of one clock. */
export interface Idleness {
  /** When it will be locked, by what the server said last. */
  locksAt: number;
  /** When the user last did something here. */
  activeAt: number;
  /** When the server was last told so. */
  attendedAt: number;
}

/** What is to be done now. */
export type IdleStep = "nothing" | "attend" | "warn" | "ask";

/**
 * What is to be done: tell the server that somebody is here, warn that nobody is, or ask whether it is locked.
 * The server may write what a user did half a minute late, so the warning comes that much before it is due.
 */
export function idleStep({ locksAt, activeAt, attendedAt }: Idleness, now: number): IdleStep {
  if (activeAt > attendedAt && now - attendedAt >= ATTEND_EVERY) return "attend";
  if (now >= locksAt) return "ask";
  return locksAt - now <= WARNING + 30_000 ? "warn" : "nothing";
}
