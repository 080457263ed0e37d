import { describe, expect, it } from "vitest";

import { freshness, pause, SILENCE } from "./status.ts";

describe("the figures", () => {
  it("are live while the stream says something", () => {
    expect(freshness({ open: true, since: 0, heardAt: 10_000 }, 12_000)).toEqual({ kind: "live", heardAt: 10_000 });
  });
  it("are not live when an open stream is silent: its other end may be gone", () => {
    expect(freshness({ open: true, since: 0, heardAt: 0 }, SILENCE + 1).kind).toBe("reconnecting");
    expect(freshness({ open: true, since: 0, heardAt: 0 }, 40_000)).toEqual({ kind: "stale", since: 0 });
  });
  it("are not stale because of a short break", () => {
    expect(freshness({ open: false, since: 0, heardAt: 10_000 }, 12_000).kind).toBe("reconnecting");
    expect(freshness({ open: false, since: 0, heardAt: 10_000 }, 41_000)).toEqual({ kind: "stale", since: 10_000 });
  });
  it("were never live when nothing was ever heard", () => {
    expect(freshness({ open: false, since: 0, heardAt: null }, 5_000).kind).toBe("connecting");
    expect(freshness({ open: false, since: 0, heardAt: null }, 31_000)).toEqual({ kind: "stale", since: null });
  });
});

describe("a refused stream", () => {
  it("is tried less and less often, and never all at once", () => {
    expect([0, 1, 2, 10].map((attempt) => pause(attempt, 1))).toEqual([1_000, 2_000, 4_000, 30_000]);
    expect(pause(3, 0)).toBe(4_000);
  });
});
