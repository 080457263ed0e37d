/** @file One figure, as large as it deserves, beside what it was before. */

import { useEffect, useRef, useState } from "react";

import type { Cell, Metric, OverviewItem, Period } from "../api/figures.ts";
import { changeBetween, formatCell, type Style, SUPPRESSED_REASON } from "../format/figure.ts";
import { formatMoment } from "../format/time.ts";
import { sameFigure } from "../live/merge.ts";
import { Definition } from "./Definition.tsx";

/** What an overview's comparisons are with. */
const BEFORE: Record<Period, [string, string]> = {
  day: ["on yesterday", "on last year"],
  week: ["on last week", "on last year"],
  month: ["on last month", "on last year"],
};

const ARROWS = { up: "▲", down: "▼", same: "●", unknown: "" };

interface TileProps {
  metric: Metric;
  /** One for each currency; none when nothing was counted yet. */
  items: OverviewItem[];
  period: Period;
  timeZone: string;
  href: string;
  current?: boolean;
}

/** One metric of the overview. */
export function Tile({ metric, items, period, timeZone, href, current = false }: TileProps) {
  const first = items[0];
  const restated = items.map((item) => item.current.restatedTime).find(Boolean);
  return (
    <article className="tile" data-current={current || undefined}>
      <h3>
        <a href={href} aria-current={current ? "true" : undefined}>
          {metric.title}
        </a>
      </h3>
      <Definition metrics={[metric]} about={metric.title} />
      {items.map((item) => (
        <Figure key={item.currencyCode} item={item} style={{ unit: metric.unit, currencyCode: item.currencyCode }} period={period} />
      ))}
      {!first && <p className="tile-value">—</p>}
      {restated && <p className="restated">Restated {formatMoment(restated, timeZone)}</p>}
    </article>
  );
}

function Figure({ item, style, period }: { item: OverviewItem; style: Style; period: Period }) {
  const changed = useChanged(item);
  const value = formatCell(item.current, style);
  const [previous, year] = BEFORE[period];
  return (
    <>
      <p className="tile-value" data-changed={changed || undefined} data-long={value.length > 11 || undefined}>
        {value}
        {item.current.suppressed && <small title={SUPPRESSED_REASON}>suppressed</small>}
      </p>
      {item.current.suppressed ? (
        <p className="fine">Fewer than 11 stand behind it, or it would reveal such a figure.</p>
      ) : (
        <ul className="tile-changes">
          <Comparison now={item.current} before={item.previousPeriod} style={style} words={previous} />
          <Comparison now={item.current} before={item.previousYear} style={style} words={year} />
        </ul>
      )}
    </>
  );
}

function Comparison({ now, before, style, words }: { now: Cell; before: Cell; style: Style; words: string }) {
  const change = changeBetween(now, before, style);
  return (
    <li title={`It was ${formatCell(before, style)}`}>
      <span className={`arrow arrow-${change.direction}`} aria-hidden="true">
        {ARROWS[change.direction]}
      </span>
      {change.words} {words}
    </li>
  );
}

/** True for a moment after a figure has become another. */
function useChanged(item: OverviewItem): boolean {
  const before = useRef(item);
  const [changed, setChanged] = useState(false);
  useEffect(() => {
    if (sameFigure(before.current, item)) return;
    before.current = item;
    setChanged(true);
    const timer = setTimeout(() => setChanged(false), 2_000);
    return () => clearTimeout(timer);
  }, [item]);
  return changed;
}
