/** @file Figures that stand beside each other rather than one after another: a table with bars in it. */

import type { Cell } from "../api/figures.ts";
import { formatCell, type Style } from "../format/figure.ts";

/** One bar. */
export interface Bar {
  label: string;
  cell: Cell;
}

/** Bars with their figures. What is suppressed has no bar, since its length would tell. */
export function Bars({ bars, style, title, heading }: { bars: Bar[]; style: Style; title: string; heading: string }) {
  const longest = Math.max(0, ...bars.map((bar) => bar.cell.value ?? 0));
  return (
    <table className="bars">
      <caption className="visually-hidden">{title}</caption>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{heading}</th>
          <th scope="col">{title}</th>
        </tr>
      </thead>
      <tbody>
        {bars.map(({ label, cell }, at) => (
          // Two may be called the same.
          <tr key={at}>
            <th scope="row">{label}</th>
            <td>
              <span className="bar-line">
                <span className="bar" style={{ width: longest > 0 ? `${(Math.max(0, cell.value ?? 0) / longest) * 100}%` : 0 }} />
              </span>
              <span className="bar-figure">
                {formatCell(cell, style)}
                {cell.suppressed && <span className="visually-hidden"> suppressed</span>}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
