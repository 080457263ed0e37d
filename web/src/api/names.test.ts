import { describe, expect, it } from "vitest";

import { byKey, codeOf, unnamed } from "./names.ts";

describe("names", () => {
  it("are known by the id of whichever list they come from", () => {
    expect([...byKey([{ id: "a", name: "Old Mill" }])]).toEqual([["a", "Old Mill"]]);
    expect([...byKey([{ payerId: "b", name: "Meridian Health" }])]).toEqual([["b", "Meridian Health"]]);
  });
  it("of services are known by the code that they are charged by, unless it stands for several", () => {
    const service = (id: string, name: string, code: string) => ({ id, name, priceCode: { code } });
    const names = byKey([service("a", "Check-up", "99396"), service("b", "Visit", "99213"), service("c", "Visit", "99213"), service("d", "Fast", "85025"), service("e", "Slow", "85025")]);
    expect(names.get("a")).toBe("Check-up");
    expect(names.get("99396")).toBe("Check-up (99396)");
    expect(names.get("99213")).toBe("Visit (99213)");
    expect(names.has("85025")).toBe(false);
  });
});

describe("what has no name", () => {
  it("is short, and says what it is", () => {
    expect(unnamed("clinic", "0197a1b2-7c11-7000-8000-1b2c3d4e5f60")).toMatch(/^Clinic [A-HJ-NP-Z]\d{3}$/);
    expect(unnamed("service", "99213")).toBe("99213");
    expect(unnamed("practitioner", "")).toBe("No practitioner");
    expect(unnamed(undefined, "")).toBe("");
    expect(unnamed("payer", "patient")).toBe("Patients themselves");
    expect(unnamed("age", "31-60")).toBe("31–60 days");
    expect(unnamed("age", "120+")).toBe("120+ days");
    expect(unnamed("family", "evaluation-and-management")).toBe("Evaluation and management");
  });
  it("has a code that only its id decides, and hardly ever another's", () => {
    expect(codeOf("0197a1b2-7c11-7000-8000-1b2c3d4e5f60")).toBe("S438");
    const of = (count: number) => new Set(Array.from({ length: count }, (_, at) => codeOf(`0197a2b1-7c11-7000-8000-${at.toString(16).padStart(12, "0")}`))).size;
    expect(of(24_000)).toBe(24_000);
    expect(codeOf("0197A2B1-7c11-7000-8000-1b2c3d4e5f60")).toBe(codeOf("0197a2b1-7c11-7000-8000-1b2c3d4e5f60"));
  });
});
