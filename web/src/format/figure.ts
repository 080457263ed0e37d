/** @file A figure in words and digits, as the reader's language has them. */

import type { Cell, Unit } from "../api/figures.ts";

/** What stands where there is no figure. */
export const MISSING = "—";

/** Why a figure is not told. */
export const SUPPRESSED_REASON =
  "Suppressed: fewer than 11 things stand behind this figure, or it would reveal such a figure. It is kept back so that nobody can be recognised.";

/** How a figure is written. */
export interface Style {
  unit: Unit;
  /** Three letters; empty where it is no money. */
  currencyCode?: string;
  /** The reader's; the browser's own when it is not given. */
  locale?: string | undefined;
  /** Shorter, for the axes of charts. */
  compact?: boolean;
}

const formats = new Map<string, Intl.NumberFormat>();

/** Formats are dear to make, and there are few of them. */
function numberFormat(locale: string | undefined, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify([locale, options]);
  const known = formats.get(key) ?? new Intl.NumberFormat(locale, options);
  formats.set(key, known);
  return known;
}

/** How many digits a currency's smallest unit stands behind the point: 2 of USD, 0 of JPY, 3 of KWD. */
export function minorDigits(currencyCode: string): number {
  return numberFormat(undefined, { style: "currency", currency: currencyCode }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** A value in its unit. */
export function formatValue(value: number, { unit, currencyCode = "", locale, compact = false }: Style): string {
  const short: Intl.NumberFormatOptions = compact ? { notation: "compact", maximumFractionDigits: 1 } : {};
  switch (unit) {
    case "money": {
      if (!currencyCode) return numberFormat(locale, short).format(value);
      const major = value / 10 ** minorDigits(currencyCode);
      const options: Intl.NumberFormatOptions = { style: "currency", currency: currencyCode };
      return numberFormat(locale, compact ? { ...options, ...short, minimumFractionDigits: 0 } : options).format(major);
    }
    case "ratio":
      return numberFormat(locale, { style: "percent", maximumFractionDigits: compact ? 0 : 1 }).format(value);
    case "minutes":
      return measured(value, "minute", locale, compact ? 0 : 1);
    case "days":
      return measured(value, "day", locale, 1);
    default:
      return numberFormat(locale, { maximumFractionDigits: 1, ...short }).format(value);
  }
}

function measured(value: number, unit: string, locale: string | undefined, digits: number): string {
  // In short "d" would do for days in English alone, where it is also the least clear.
  const unitDisplay = unit === "day" ? "long" : "short";
  return numberFormat(locale, { style: "unit", unit, unitDisplay, maximumFractionDigits: digits }).format(value);
}

/** A cell as it is shown: its value, `<11` where it is suppressed, a dash where there is none. */
export function formatCell(cell: Cell | undefined, style: Style): string {
  if (cell?.suppressed) return style.unit === "count" ? "<11" : "n < 11";
  return cell?.value === undefined ? MISSING : formatValue(cell.value, style);
}

/** The same for who listens to it. */
export function speakCell(cell: Cell | undefined, style: Style): string {
  if (cell?.suppressed) return "suppressed";
  return cell?.value === undefined ? "no figure" : formatValue(cell.value, style);
}

/** How a figure stands to an earlier one. */
export interface Change {
  direction: "up" | "down" | "same" | "unknown";
  /** "Up 12%", "Down 1.5 points", "No change", or why nothing can be said. */
  words: string;
}

/** Sets a figure beside an earlier one. What share of nothing something is cannot be said, so then the difference is. */
export function changeBetween(now: Cell | undefined, before: Cell | undefined, style: Style): Change {
  if (now?.suppressed || before?.suppressed) return { direction: "unknown", words: "Suppressed" };
  if (now?.value === undefined || before?.value === undefined) return { direction: "unknown", words: "No comparison" };
  const difference = now.value - before.value;
  if (difference === 0) return { direction: "same", words: "No change" };
  const direction = difference > 0 ? "up" : "down";
  const size = Math.abs(difference);
  let amount: string;
  if (style.unit === "ratio") {
    const points = numberFormat(style.locale, { maximumFractionDigits: 1 }).format(size * 100);
    if (size < 0.0005) return { direction: "same", words: "No change" };
    amount = `${points} ${points === "1" ? "point" : "points"}`;
  } else if (before.value === 0) {
    amount = formatValue(size, style);
  } else {
    const share = size / Math.abs(before.value);
    amount = numberFormat(style.locale, { style: "percent", maximumFractionDigits: share < 0.1 ? 1 : 0 }).format(share);
  }
  return { direction, words: `${direction === "up" ? "Up" : "Down"} ${amount}` };
}
