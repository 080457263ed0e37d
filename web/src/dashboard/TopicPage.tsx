/** @file The page of a topic: all of its metrics, and one of them over time. */

import { useEffect, useMemo, useState } from "react";

import { type Comparison, type Dimension, getMetric, type Group, type Metric, type MetricQuery, type Topic } from "../api/figures.ts";
import { useAnswer } from "../api/useAnswer.ts";
import { chartOfSeries } from "../charts/chart.ts";
import { ChartView } from "../charts/ChartView.tsx";
import { rangeStart } from "../format/time.ts";
import { useRefreshOnChange } from "../live/LiveProvider.tsx";
import { Empty } from "../shell/Notice.tsx";
import { hashOf, replaceRoute, type Route } from "../shell/route.ts";
import type { Scene } from "./Dashboard.tsx";
import { useNames } from "./NamesProvider.tsx";
import { Choice, chosenCurrency, Panel } from "./Panel.tsx";
import { groupFor, GROUPS, groupsOf, placesOf } from "./panels.ts";
import { Tiles } from "./Tiles.tsx";

/** All metrics of a topic, and the chosen one, the first at first, over time. */
export function TopicPage({ scene, route, topic, loading }: { scene: Scene; route: Route; topic: Topic; loading: boolean }) {
  const metrics = [...scene.metrics.values()].filter((metric) => metric.topic === topic);
  const chosen = metrics.find((metric) => metric.metric === route.metric) ?? metrics[0];
  useBringIntoView(route.metric);
  if (!loading && !chosen) return <Empty>The server counts nothing of this yet.</Empty>;
  return (
    <>
      <div className="panels" id="chosen">
        {chosen ? <MetricPanel key={chosen.metric} metric={chosen} scene={scene} route={route} topic={topic} /> : <div className="panel wide skeleton panel-place" />}
      </div>
      <section className="topic" aria-labelledby="all-metrics">
        <h2 id="all-metrics">All figures</h2>
        <Tiles scene={scene} metrics={metrics} places={placesOf(topic)} chosen={chosen?.metric ?? ""} />
      </section>
    </>
  );
}

/** Whoever chose a tile far down is shown its chart. */
function useBringIntoView(metric: string) {
  const [shown, setShown] = useState(metric);
  useEffect(() => {
    if (metric === shown) return;
    setShown(metric);
    document.getElementById("chosen")?.scrollIntoView({ block: "nearest" });
  }, [metric, shown]);
}

const COMPARISONS: [string, string][] = [
  ["", "Nothing"],
  ["previous-period", "The period before"],
  ["previous-year", "The year before"],
];

function MetricPanel({ metric, scene, route, topic }: { metric: Metric; scene: Scene; route: Route; topic: Topic }) {
  const { parameters } = route;
  const groups = groupsOf(metric);
  const group = groups.find((each) => each === parameters.get("group")) ?? groupFor(scene.period, [metric]);
  const by = metric.dimensions.find((each) => each === parameters.get("by"));
  const compare = by ? undefined : COMPARISONS.map(([name]) => name).find((name) => name && name === parameters.get("compare"));
  const from = scene.today && rangeStart(scene.today, group, GROUPS[group]);
  const query: MetricQuery = { from, group, by, clinicId: scene.clinicId || undefined, compare: compare as Comparison | undefined };
  const answer = useAnswer(scene.today && JSON.stringify([metric.metric, query]), async (asking) => [await getMetric(metric.metric, query, asking)]);
  useRefreshOnChange([metric.metric], () => answer.refresh(true));
  const { currencies, currency } = chosenCurrency(answer.data, parameters.get("currency") ?? "");
  const choose = (name: string) => (value: string) => replaceRoute(hashOf(topic, metric.metric, { ...Object.fromEntries(parameters), [name]: value }));

  const controls = (
    <div className="controls">
      <Choice label="Group by" value={group} options={groups.map((each) => [each, NAMES[each]])} onChoose={choose("group")} />
      {metric.dimensions.length > 0 && (
        <Choice label="Split by" value={by ?? ""} options={[["", "Nothing"], ...metric.dimensions.map((each): [string, string] => [each, NAMES[each]])]} onChoose={choose("by")} />
      )}
      {!by && <Choice label="Compare with" value={compare ?? ""} options={COMPARISONS} onChoose={choose("compare")} />}
      {currencies.length > 1 && <Choice label="Currency" value={currency} options={currencies.map((each) => [each, each])} onChoose={choose("currency")} />}
    </div>
  );
  const { nameOf, refused } = useNames(by);
  const data = answer.data?.[0];
  const chart = useMemo(() => data && chartOfSeries(data, currency, nameOf), [data, currency, nameOf]);
  return (
    <Panel title={metric.title} metrics={[metric]} query={query} answer={answer} controls={controls} wide>
      <p className="definition-line">{metric.definition}</p>
      {refused && by && (
        <p className="fine">
          A code stands for each {by}, always the same one: your role may see the figures and not the names.
        </p>
      )}
      {chart && <ChartView chart={chart} kind="lines" title={metric.title} />}
    </Panel>
  );
}

const NAMES: Record<Group | Dimension, string> = {
  hour: "Hour",
  day: "Day",
  week: "Week",
  month: "Month",
  clinic: "Clinic",
  practitioner: "Practitioner",
  service: "Service",
  family: "Family of services",
  payer: "Payer",
  age: "Age",
};
