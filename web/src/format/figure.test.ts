import { describe, expect, it } from "vitest";

import type { Cell } from "../api/figures.ts";
import { changeBetween, formatCell, formatValue, minorDigits, speakCell } from "./figure.ts";

const cell = (value?: number, suppressed = false): Cell => ({ start: "", suppressed, ...(value !== undefined && { value }) });
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

describe("money", () => {
  it("has the digits of its currency", () => {
    expect([minorDigits("USD"), minorDigits("JPY"), minorDigits("KWD")]).toEqual([2, 0, 3]);
    expect(formatValue(123_456, { unit: "money", currencyCode: "USD", locale: "en-US" })).toBe("$1,234.56");
    expect(formatValue(123_456, { unit: "money", currencyCode: "JPY", locale: "en-US" })).toBe("¥123,456");
    expect(plain(formatValue(123_456, { unit: "money", currencyCode: "KWD", locale: "en-US" }))).toBe("KWD 123.456");
    expect(plain(formatValue(123_456, { unit: "money", currencyCode: "EUR", locale: "de-DE" }))).toBe("1.234,56 €");
  });
  it("keeps the sign of what is owed back", () => {
    expect(formatValue(-5, { unit: "money", currencyCode: "USD", locale: "en-US" })).toBe("-$0.05");
  });
  it("is short on an axis", () => {
    expect(formatValue(12_300_000, { unit: "money", currencyCode: "USD", locale: "en-US", compact: true })).toBe("$123K");
  });
});

describe("other units", () => {
  it("are written in full", () => {
    expect(formatValue(0.0834, { unit: "ratio", locale: "en-US" })).toBe("8.3%");
    expect(formatValue(12.5, { unit: "minutes", locale: "en-US" })).toBe("12.5 min");
    expect(formatValue(1, { unit: "days", locale: "en-US" })).toBe("1 day");
    expect(formatValue(38.25, { unit: "days", locale: "en-US" })).toBe("38.3 days");
    expect(formatValue(12_345, { unit: "count", locale: "en-US" })).toBe("12,345");
  });
});

describe("what is not there", () => {
  it("is a dash, and what is suppressed is not", () => {
    expect(formatCell(cell(), { unit: "ratio" })).toBe("—");
    expect(formatCell(undefined, { unit: "count" })).toBe("—");
    expect(formatCell(cell(undefined, true), { unit: "count" })).toBe("<11");
    expect(formatCell(cell(undefined, true), { unit: "ratio" })).toBe("n < 11");
    expect(speakCell(cell(undefined, true), { unit: "count" })).toBe("suppressed");
  });
  it("is not nought", () => {
    expect(formatCell(cell(0), { unit: "count", locale: "en-US" })).toBe("0");
  });
});

describe("a change", () => {
  const count = { unit: "count", locale: "en-US" } as const;
  it("is a share of what was before", () => {
    expect(changeBetween(cell(112), cell(100), count)).toEqual({ direction: "up", words: "Up 12%" });
    expect(changeBetween(cell(98), cell(100), count)).toEqual({ direction: "down", words: "Down 2%" });
    expect(changeBetween(cell(7), cell(7), count)).toEqual({ direction: "same", words: "No change" });
  });
  it("from nothing is the difference", () => {
    expect(changeBetween(cell(5), cell(0), count).words).toBe("Up 5");
  });
  it("of a share is in points", () => {
    const ratio = { unit: "ratio", locale: "en-US" } as const;
    expect(changeBetween(cell(0.125), cell(0.11), ratio).words).toBe("Up 1.5 points");
    expect(changeBetween(cell(0.12), cell(0.11), ratio).words).toBe("Up 1 point");
    expect(changeBetween(cell(0.12001), cell(0.12), ratio).words).toBe("No change");
  });
  it("reveals nothing that is suppressed", () => {
    expect(changeBetween(cell(20), cell(undefined, true), count)).toEqual({ direction: "unknown", words: "Suppressed" });
    expect(changeBetween(cell(20), cell(), count).words).toBe("No comparison");
  });
});
