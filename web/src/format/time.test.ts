import { describe, expect, it } from "vitest";

import { ago, dateIn, formatClock, formatGroup, rangeStart } from "./time.ts";

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");
const ZONE = "America/New_York";

describe("the clinic's clock", () => {
  it("is not the reader's", () => {
    expect(plain(formatClock("2026-11-23T14:05:00Z", ZONE, "en-US"))).toBe("9:05 AM");
    expect(formatClock("2026-11-23T14:05:00Z", "Europe/Berlin", "de-DE")).toBe("15:05");
  });
  it("has a date of its own", () => {
    expect(dateIn(ZONE, "2026-11-24T03:00:00Z")).toBe("2026-11-23");
    expect(dateIn("Asia/Tokyo", "2026-11-23T20:00:00Z")).toBe("2026-11-24");
  });
  it("names groups, also on the days on which it is changed", () => {
    expect(plain(formatGroup("2026-11-23T09:00:00-05:00", "hour", ZONE, "axis", "en-US"))).toBe("9 AM");
    expect(formatGroup("2026-11-01T00:00:00-04:00", "day", ZONE, "full", "en-US")).toBe("Sun, Nov 1, 2026");
    expect(formatGroup("2026-11-02T00:00:00-05:00", "week", ZONE, "full", "en-US")).toBe("Week of Nov 2, 2026");
    expect(formatGroup("2026-11-01T00:00:00-04:00", "month", ZONE, "full", "en-US")).toBe("November 2026");
  });
});

describe("a range", () => {
  it("is of whole groups, the last with today", () => {
    expect(rangeStart("2026-11-25", "day", 30)).toBe("2026-10-27");
    expect(rangeStart("2026-11-25", "week", 1)).toBe("2026-11-23");
    expect(rangeStart("2026-11-22", "week", 2)).toBe("2026-11-09");
    expect(rangeStart("2026-11-25", "month", 12)).toBe("2025-12-01");
    expect(rangeStart("2026-03-31", "month", 2)).toBe("2026-02-01");
    expect(rangeStart("2026-11-25", "hour", 24)).toBe("2026-11-25");
  });
});

describe("how long ago", () => {
  it("is in the unit that one thinks in", () => {
    expect([ago(-200), ago(2_600), ago(59_000), ago(61_000), ago(7_300_000)]).toEqual(["0 s ago", "3 s ago", "59 s ago", "1 min ago", "2 h ago"]);
  });
});
