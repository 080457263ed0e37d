/** @file The tiles of a topic. */

import type { Metric } from "../api/figures.ts";
import { FailureNotice } from "../shell/Notice.tsx";
import { hashOf } from "../shell/route.ts";
import type { Scene } from "./Dashboard.tsx";
import { Tile } from "./Tile.tsx";

/** Tiles for metrics, or as many places for them while they are loaded, so that nothing moves when they come. */
export function Tiles({ scene, metrics, places, chosen = "" }: { scene: Scene; metrics: Metric[]; places: number; chosen?: string }) {
  const { overview, period, clinicId } = scene;
  if (overview.failure && !overview.data) {
    return <FailureNotice failure={overview.failure} onRetry={overview.refresh} retrying={overview.busy} />;
  }
  const shown = overview.data;
  if (!shown || metrics.length === 0) {
    return (
      <div className="tiles" aria-busy="true" aria-label="Loading">
        {Array.from({ length: places }, (_, place) => (
          <div className="tile skeleton" key={place} />
        ))}
      </div>
    );
  }
  return (
    <div className="tiles" aria-busy={shown.period !== period}>
      {metrics.map((metric) => (
        <Tile
          key={metric.metric}
          metric={metric}
          items={shown.items.filter((item) => item.metric === metric.metric)}
          period={shown.period}
          timeZone={shown.timeZone}
          href={hashOf(metric.topic, metric.metric, { period: period === "day" ? "" : period, clinic: clinicId })}
          current={metric.metric === chosen}
        />
      ))}
    </div>
  );
}
