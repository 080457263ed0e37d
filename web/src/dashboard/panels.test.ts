import { describe, expect, it } from "vitest";

import type { Group, Metric, Topic } from "../api/figures.ts";
import { announcement } from "./Announcer.tsx";
import { groupFor, groupsOf, PANELS, panelsOf, queryOf, tilesOf } from "./panels.ts";

const metric = (name: string, topic: Topic, finest: Group = "day"): Metric => ({ metric: name, title: name, definition: "", unit: "count", dimensions: [], finest, topic });
const counted = (...all: Metric[]) => new Map(all.map((each) => [each.metric, each]));

describe("the overview", () => {
  it("shows what the server counts and nothing else", () => {
    const metrics = counted(metric("registrations", "patients"), metric("claims-denied", "claims"));
    expect(tilesOf("patients", metrics).map((each) => each.metric)).toEqual(["registrations"]);
    expect(panelsOf("patients", metrics).map((panel) => panel.title)).toEqual(["Registrations, new and returning patients"]);
    expect(panelsOf("revenue", metrics)).toEqual([]);
  });
  it("shows what it has never heard of when there is nothing else", () => {
    const metrics = counted(...Array.from({ length: 7 }, (_, at) => metric(`new-${at}`, "claims")));
    expect(tilesOf("claims", metrics)).toHaveLength(5);
  });
});

describe("a chart's groups", () => {
  it("are those of the period, but never finer than the metric or the chart", () => {
    expect(groupFor("day", [metric("a", "patients", "hour")])).toBe("day");
    expect(groupFor("month", [metric("a", "patients", "hour")])).toBe("month");
    expect(groupFor("day", [metric("a", "patients", "day")], "week")).toBe("week");
    expect(groupFor("day", [metric("a", "patients", "hour"), metric("b", "patients", "month")])).toBe("month");
    expect(groupsOf(metric("a", "patients", "week"))).toEqual(["week", "month"]);
  });
});

describe("a chart", () => {
  const asked = (title: string, period: "day" | "month", today = "2026-11-25") => {
    const plan = PANELS.find((panel) => panel.title.startsWith(title));
    if (!plan) throw new Error(title);
    return queryOf(plan, plan.metrics.map((name) => metric(name, plan.topic)), { period, clinicId: "", today });
  };
  it("asks for whole groups up to now", () => {
    expect(asked("Registrations", "day")).toMatchObject({ from: "2026-10-27", group: "day" });
    expect(asked("Registrations", "month")).toMatchObject({ from: "2025-12-01", group: "month" });
    expect(asked("Charged", "day")).toMatchObject({ group: "week" });
    expect(asked("Patient load", "month")).toMatchObject({ from: "2026-11-25", group: "hour" });
    expect(asked("Outstanding", "day")).toMatchObject({ from: "2026-11-25", by: "age" });
  });
  it("asks for nothing before the clinic's day is known", () => {
    expect(asked("Registrations", "day", "")).toBeNull();
  });
});

describe("what is read out", () => {
  it("is short", () => {
    expect(announcement(["Bookings"])).toBe("Updated: Bookings.");
    expect(announcement(["A", "B", "C", "D", "E"])).toBe("Updated: A, B, C and 2 more.");
  });
});
