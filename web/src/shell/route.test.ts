import { describe, expect, it } from "vitest";

import { hashOf, parseRoute } from "./route.ts";

describe("a place in the address", () => {
  it("is read back as it was written", () => {
    const route = parseRoute(hashOf("appointments", "no-show-rate", { by: "clinic", compare: "" }));
    expect(route.section).toBe("appointments");
    expect(route.metric).toBe("no-show-rate");
    expect([...route.parameters]).toEqual([["by", "clinic"]]);
  });
  it("is the overview when it is none of ours", () => {
    for (const hash of ["", "#", "#/", "#/nowhere", "#/nowhere/registrations", hashOf("overview")]) {
      expect(parseRoute(hash)).toMatchObject({ section: "overview", metric: "" });
    }
  });
  it("names no metric that could be something else", () => {
    expect(parseRoute("#/claims/..%2f..").metric).toBe("");
    expect(parseRoute(`#/claims/${"a".repeat(65)}`).metric).toBe("");
  });
});
