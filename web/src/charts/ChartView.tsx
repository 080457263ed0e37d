/** @file A chart with everything that belongs to it: drawing, marks, table. */

import { SUPPRESSED_REASON } from "../format/figure.ts";
import { Empty } from "../shell/Notice.tsx";
import { type Chart, groupName, isEmpty, MOST_LINES, restatedGroups, suppressedGroups } from "./chart.ts";
import { FigureTable } from "./FigureTable.tsx";
import { type Kind, Plot } from "./Plot.tsx";

/** How many restated groups are named. */
const NAMED = 4;

/** A chart, what is to be known of it, and its table. */
export function ChartView({ chart, kind, title }: { chart: Chart; kind: Kind; title: string }) {
  if (isEmpty(chart)) return <Empty>Nothing was counted in this time.</Empty>;
  const restated = restatedGroups(chart);
  const suppressed = suppressedGroups(chart);
  const named = restated.slice(-NAMED).map((index) => groupName(chart, index));
  const more = restated.length - named.length;
  return (
    <>
      <Plot chart={chart} kind={kind} title={title} />
      {restated.length > 0 && (
        <p className="fine">
          <span className="mark" aria-hidden="true">
            ▼
          </span>{" "}
          Restated, because something came later: {named.join("; ")}
          {more > 0 && ` and ${more} more`}.
        </p>
      )}
      {suppressed > 0 && (
        <p className="fine" title={SUPPRESSED_REASON}>
          {suppressed === 1 ? `1 ${chart.group} has` : `${suppressed} ${chart.group}s have`} a suppressed figure (&lt;11), which is not drawn.
        </p>
      )}
      {chart.lines.length > MOST_LINES && (
        <p className="fine">
          The first {MOST_LINES} of {chart.lines.length} are drawn; the table has them all.
        </p>
      )}
      <FigureTable chart={chart} title={title} />
    </>
  );
}
