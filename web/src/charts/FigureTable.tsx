/** @file The figures of a chart as a table, which is there for everybody. */

import { useState } from "react";

import type { Cell } from "../api/figures.ts";
import { formatCell, type Style, SUPPRESSED_REASON } from "../format/figure.ts";
import { type Chart, groupName, styleOf } from "./chart.ts";

/** A disclosure with the table inside. */
export function FigureTable({ chart, title }: { chart: Chart; title: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Table<span className="visually-hidden"> of {title}</span>
      </summary>
      {open && <Table chart={chart} title={title} />}
    </details>
  );
}

function Table({ chart, title }: { chart: Chart; title: string }) {
  const style = styleOf(chart);
  return (
    // It scrolls, so the keyboard has to get there.
    <div className="table-frame" tabIndex={0} role="region" aria-label={`Table of ${title}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{chart.group}</th>
            {chart.lines.map((line, at) => (
              <th scope="col" key={at}>
                {line.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {chart.starts.map((start, index) => (
            <tr key={start}>
              <th scope="row">{groupName(chart, index)}</th>
              {chart.lines.map((line, at) => (
                <Figure key={at} cell={line.cells[index]} style={style} />
              ))}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            {chart.lines.map((line, at) => (
              <Figure key={at} cell={line.total} style={style} />
            ))}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function Figure({ cell, style }: { cell: Cell | undefined; style: Style }) {
  return (
    <td title={cell?.suppressed ? SUPPRESSED_REASON : undefined}>
      {formatCell(cell, style)}
      {cell?.suppressed && <span className="visually-hidden"> suppressed</span>}
      {cell?.restatedTime && <span className="restated"> restated</span>}
    </td>
  );
}
