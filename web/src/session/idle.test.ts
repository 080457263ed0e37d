import { describe, expect, it } from "vitest";

import { ATTEND_EVERY, idleStep } from "./idle.ts";

describe("a session nobody uses", () => {
  const idle = { locksAt: 900_000, activeAt: 0, attendedAt: 0 };

  it("is left alone while there is time", () => {
    expect(idleStep(idle, 600_000)).toBe("nothing");
  });
  it("warns before it is locked", () => {
    expect(idleStep(idle, 840_000)).toBe("warn");
  });
  it("is asked for when it should be locked: another tab may have kept it open", () => {
    expect(idleStep(idle, 900_000)).toBe("ask");
  });
});

describe("a session somebody uses", () => {
  it("tells so, once a minute at most", () => {
    const active = { locksAt: 900_000, activeAt: 50_000, attendedAt: 10_000 };
    expect(idleStep(active, 50_000)).toBe("nothing");
    expect(idleStep(active, 10_000 + ATTEND_EVERY)).toBe("attend");
  });
  it("tells so in place of a warning", () => {
    expect(idleStep({ locksAt: 900_000, activeAt: 850_000, attendedAt: 0 }, 850_000)).toBe("attend");
  });
  it("tells nothing twice", () => {
    expect(idleStep({ locksAt: 900_000, activeAt: 10_000, attendedAt: 20_000 }, 500_000)).toBe("nothing");
  });
});
