/** @file The first page: what matters of every topic. */

import { type Topic } from "../api/figures.ts";
import { Empty } from "../shell/Notice.tsx";
import { SECTIONS } from "../shell/route.ts";
import type { Scene } from "./Dashboard.tsx";
import { OverviewPanel } from "./OverviewPanel.tsx";
import { panelsOf, PANELS, placesOf, tilesOf } from "./panels.ts";
import { Tiles } from "./Tiles.tsx";

const TOPICS = SECTIONS.filter((each): each is { section: Topic; title: string } => each.section !== "overview");

/** Tiles and charts by topic. A topic of which the server counts nothing is not there. */
export function OverviewPage({ scene, loading }: { scene: Scene; loading: boolean }) {
  if (!loading && scene.metrics.size === 0) return <Empty>The server counts nothing yet.</Empty>;
  return TOPICS.map(({ section, title }) => {
    const tiles = tilesOf(section, scene.metrics);
    const panels = loading ? [] : panelsOf(section, scene.metrics);
    if (!loading && tiles.length === 0 && panels.length === 0) return null;
    return (
      <section className="topic" key={section} aria-labelledby={`topic-${section}`}>
        <h2 id={`topic-${section}`}>{title}</h2>
        <Tiles scene={scene} metrics={tiles} places={placesOf(section)} />
        <div className="panels">
          {panels.map((plan) => (
            <OverviewPanel key={plan.title} plan={plan} scene={scene} />
          ))}
          {loading && PANELS.filter((plan) => plan.topic === section).map((plan) => <div className="panel skeleton panel-place" key={plan.title} />)}
        </div>
      </section>
    );
  });
}
