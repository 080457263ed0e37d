import { describe, expect, it } from "vitest";

import type { Chart } from "./chart.ts";
import { alignedData, lonePlaces, niceRange, splitEvery } from "./drawing.ts";

const line = (label: string, values: (number | undefined)[]) => ({
  label,
  earlier: false,
  total: { start: "", suppressed: false },
  cells: values.map((value) => ({ start: "", suppressed: value === undefined, ...(value !== undefined && { value }) })),
});
const chart: Chart = { group: "day", timeZone: "UTC", unit: "count", currencyCode: "", starts: ["a", "b"], lines: [line("kept", [5, 6]), line("no-shows", [1, undefined])], to: "" };

describe("what is drawn", () => {
  it("has a gap where nothing is told", () => {
    expect(alignedData(chart, "lines")).toEqual([[0, 1], [5, 6], [1, null]]);
  });
  it("is a stack of which the whole is drawn first", () => {
    expect(alignedData(chart, "stacked")).toEqual([[0, 1], [6, 6], [5, 6]]);
  });
});

describe("a value with none beside it", () => {
  it("is found wherever it is, and one that a line goes to is not", () => {
    expect(lonePlaces([1, null, 2, 3, null, 0, undefined, 4])).toEqual([0, 5, 7]);
    expect(lonePlaces([7])).toEqual([0]);
    expect(lonePlaces([null, undefined])).toEqual([]);
  });
});

describe("the scale", () => {
  it("begins at nought unless something is below", () => {
    expect(niceRange(20, 100, "count")).toEqual([0, 108]);
    expect(niceRange(-100, 100, "money")[0]).toBe(-116);
    expect(niceRange(null, null, "count")).toEqual([0, 4]);
  });
  it("of shares ends at all of it", () => {
    expect(niceRange(0.5, 1, "ratio")).toEqual([0, 1.02]);
  });
});

describe("labels", () => {
  it("are as many as there is room for, with the newest among them", () => {
    expect(splitEvery(4, 600)).toEqual([0, 1, 2, 3]);
    expect(splitEvery(30, 620)).toEqual([2, 5, 8, 11, 14, 17, 20, 23, 26, 29]);
    expect(splitEvery(0, 100)).toEqual([]);
    expect(splitEvery(3, 10)).toEqual([2]);
  });
});
