import { describe, expect, it } from "vitest";

import type { Cell, Overview, OverviewItem } from "../api/figures.ts";
import { isOfToday, isOver, mergeItems, sameFigure } from "./merge.ts";

const cell = (value?: number, more: Partial<Cell> = {}): Cell => ({ start: "", suppressed: false, ...(value !== undefined && { value }), ...more });
const item = (metric: string, current: Cell, currencyCode = ""): OverviewItem => ({ metric, currencyCode, current, previousPeriod: cell(1), previousYear: cell(1) });
const overview: Overview = {
  timeZone: "America/New_York",
  period: "day",
  from: "2026-11-23T00:00:00-05:00",
  to: "2026-11-24T00:00:00-05:00",
  items: [item("registrations", cell(3)), item("collected", cell(500), "USD"), item("no-show-rate", cell(undefined, { suppressed: true }))],
  asOf: "2026-11-23T15:00:00Z",
  change: "7",
};

describe("what the stream says", () => {
  it("takes the place of what was shown, and leaves everything else where it was", () => {
    const merged = mergeItems(overview, [item("registrations", cell(4))], "2026-11-23T15:00:05Z");
    expect(merged.items.map((each) => each.metric)).toEqual(["registrations", "collected", "no-show-rate"]);
    expect(merged.items[0]?.current.value).toBe(4);
    expect(merged.items[1]).toBe(overview.items[1]);
    expect(merged.asOf).toBe("2026-11-23T15:00:05Z");
  });
  it("of one currency leaves another alone", () => {
    const merged = mergeItems(overview, [item("collected", cell(90), "EUR")]);
    expect(merged.items.filter((each) => each.metric === "collected").map((each) => each.currencyCode)).toEqual(["USD", "EUR"]);
  });
  it("can lift a suppression, or begin one", () => {
    const merged = mergeItems(overview, [item("no-show-rate", cell(0.2)), item("registrations", cell(undefined, { suppressed: true }))]);
    expect(merged.items[2]?.current).toEqual(cell(0.2));
    expect(merged.items[0]?.current.value).toBeUndefined();
  });
  it("brings the mark of a restated group", () => {
    const restatedTime = "2026-11-24T09:00:00Z";
    expect(mergeItems(overview, [item("registrations", cell(3, { restatedTime }))]).items[0]?.current.restatedTime).toBe(restatedTime);
  });
  it("that says nothing changes nothing", () => {
    expect(mergeItems(overview, [])).toBe(overview);
  });
});

describe("a figure", () => {
  it("is another when it is suppressed, not when its comparison is", () => {
    const one = item("registrations", cell(3));
    expect(sameFigure(one, { ...one, previousYear: cell(9) })).toBe(true);
    expect(sameFigure(one, item("registrations", cell(undefined, { suppressed: true })))).toBe(false);
  });
});

describe("the stream's figures", () => {
  it("belong to today's overview of all clinics alone", () => {
    expect(isOfToday(overview, "")).toBe(true);
    expect(isOfToday(overview, "a-clinic")).toBe(false);
    expect(isOfToday({ ...overview, period: "week" }, "")).toBe(false);
  });
  it("are of another day after midnight at the clinic", () => {
    expect(isOver(overview, "2026-11-24T04:59:59Z")).toBe(false);
    expect(isOver(overview, "2026-11-24T05:00:00Z")).toBe(true);
  });
});
