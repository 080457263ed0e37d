import { describe, expect, it } from "vitest";

import type { Cell, Metric, MetricAnswer, Series } from "../api/figures.ts";
import { chartOfMetrics, chartOfSeries, currenciesOf, isEmpty, notOver, restatedGroups, summarise, suppressedGroups } from "./chart.ts";

const starts = ["2026-11-21T00:00:00-05:00", "2026-11-22T00:00:00-05:00", "2026-11-23T00:00:00-05:00"];
const cells = (values: (number | null)[]): Cell[] =>
  values.map((value, index) => ({ start: starts[index] ?? "", suppressed: false, ...(value !== null && { value }) }));
const series = (values: (number | null)[], more: Partial<Series> = {}): Series => ({
  key: "",
  currencyCode: "",
  items: cells(values),
  total: { start: "", suppressed: false, value: values.reduce<number>((sum, value) => sum + (value ?? 0), 0) },
  comparedItems: [],
  ...more,
});
const answer = (name: string, all: Series[], more: Partial<Metric> = {}): MetricAnswer => ({
  metric: { metric: name, title: name, definition: "", unit: "count", dimensions: [], finest: "day", topic: "patients", ...more },
  timeZone: "America/New_York",
  group: "day",
  from: starts[0] ?? "",
  to: "2026-11-24T00:00:00-05:00",
  series: all,
});

describe("a chart of several metrics", () => {
  it("has a line for each, in the currency that was chosen", () => {
    const answers = [
      answer("charged", [series([1, 2, 3], { currencyCode: "USD" }), series([9, 9, 9], { currencyCode: "EUR" })], { unit: "money" }),
      answer("collected", [series([0, 1, 2], { currencyCode: "USD" })], { unit: "money" }),
    ];
    expect(currenciesOf(answers)).toEqual(["EUR", "USD"]);
    const chart = chartOfMetrics(answers, "USD");
    expect(chart?.lines.map((line) => [line.label, line.total.value])).toEqual([["charged", 6], ["collected", 3]]);
    expect(chart?.currencyCode).toBe("USD");
  });
});

describe("a chart by a dimension", () => {
  it("has the largest first, by name, with the earlier period beside it", () => {
    const by = answer("bookings", [series([1, 0, 0], { key: "a" }), series([5, 5, 5], { key: "b", comparedItems: cells([4, 4, 4]), compared: { start: "", suppressed: false, value: 12 } })]);
    const chart = chartOfSeries(by, "", (key) => `Clinic ${key}`);
    expect(chart.lines.map((line) => [line.label, line.earlier])).toEqual([["Clinic b", false], ["Clinic b, earlier", true], ["Clinic a", false]]);
  });
});

describe("a last week or month", () => {
  it("that is not over is said to be so, and no other", () => {
    const by = (group: "day" | "week") => chartOfMetrics([{ ...answer("claims", [series([5, 6, 1])]), group }], "");
    const [week, day] = [by("week"), by("day")];
    if (!week || !day) throw new Error("no chart");
    const end = Date.parse(week.to);
    expect(notOver(week, end - 1)).toBe("The week is not over");
    expect([notOver(week, end), notOver(day, end - 1)]).toEqual(["", ""]);
  });
});

describe("marks", () => {
  it("say which groups were restated and how many are kept back", () => {
    const one = series([1, null, 3]);
    one.items[1] = { start: starts[1] ?? "", suppressed: true };
    one.items[2] = { start: starts[2] ?? "", suppressed: false, value: 3, restatedTime: "2026-11-24T10:00:00Z" };
    const chart = chartOfSeries(answer("registrations", [one]), "", String);
    expect(restatedGroups(chart)).toEqual([2]);
    expect(suppressedGroups(chart)).toBe(1);
  });
});

describe("a chart in words", () => {
  it("says what it comes to, where it is highest and where it ends", () => {
    const chart = chartOfSeries(answer("Registrations", [series([4, 9, 7])]), "", String);
    expect(summarise(chart, "en-US")).toBe(
      "By day, Sat, Nov 21, 2026 to Mon, Nov 23, 2026. Registrations: 20 in all, highest 9 (Sun, Nov 22, 2026), latest 7.",
    );
  });
  it("says that there is nothing", () => {
    const chart = chartOfSeries(answer("Registrations", []), "", String);
    expect(summarise(chart)).toBe("There are no figures.");
    expect(isEmpty(chart)).toBe(true);
    expect(isEmpty(chartOfSeries(answer("Registrations", [series([0, 0, 0])]), "", String))).toBe(true);
    expect(isEmpty(chartOfSeries(answer("No-show rate", [series([null, null])], { unit: "ratio" }), "", String))).toBe(true);
  });
  it("takes a rate of nothing for a figure", () => {
    expect(isEmpty(chartOfSeries(answer("No-show rate", [series([null, 0])], { unit: "ratio" }), "", String))).toBe(false);
  });
});
