/** @file A chart of the overview. */

import { useMemo, useState } from "react";

import { getMetric, type MetricAnswer } from "../api/figures.ts";
import { useAnswer } from "../api/useAnswer.ts";
import { type Bar, Bars } from "../charts/Bars.tsx";
import { chartOfMetrics } from "../charts/chart.ts";
import { ChartView } from "../charts/ChartView.tsx";
import { useRefreshOnChange } from "../live/LiveProvider.tsx";
import { Empty } from "../shell/Notice.tsx";
import type { Scene } from "./Dashboard.tsx";
import { useNames } from "./NamesProvider.tsx";
import { Choice, chosenCurrency, Panel } from "./Panel.tsx";
import { type PanelPlan, queryOf } from "./panels.ts";

/** As many bars as one looks at. */
const MOST_BARS = 8;

/** A chart of the overview, with the metrics of it that the server counts. */
export function OverviewPanel({ plan, scene }: { plan: PanelPlan; scene: Scene }) {
  const metrics = plan.metrics.flatMap((name) => scene.metrics.get(name) ?? []);
  const query = queryOf(plan, metrics, scene);
  const names = metrics.map((metric) => metric.metric);
  const answer = useAnswer(query ? JSON.stringify([names, query]) : "", (asking) => Promise.all(names.map((name) => getMetric(name, query ?? {}, asking))));
  useRefreshOnChange(names, () => answer.refresh(true));
  const [chosen, setChosen] = useState("");
  const { currencies, currency } = chosenCurrency(answer.data, chosen);
  const controls = currencies.length > 1 && (
    <div className="controls">
      <Choice label="Currency" value={currency} options={currencies.map((each) => [each, each])} onChoose={setChosen} />
    </div>
  );
  return (
    <Panel title={plan.title} metrics={metrics} query={query ?? {}} answer={answer} controls={controls}>
      {answer.data && (plan.kind === "bars" ? <Breakdown plan={plan} answer={answer.data[0]} currency={currency} /> : <Lines plan={plan} kind={plan.kind} answers={answer.data} currency={currency} />)}
    </Panel>
  );
}

function Lines({ plan, kind, answers, currency }: { plan: PanelPlan; kind: "lines" | "stacked"; answers: MetricAnswer[]; currency: string }) {
  const chart = useMemo(() => chartOfMetrics(answers, currency), [answers, currency]);
  return chart && <ChartView chart={chart} kind={kind} title={plan.title} />;
}

function Breakdown({ plan, answer, currency }: { plan: PanelPlan; answer: MetricAnswer | undefined; currency: string }) {
  const { nameOf } = useNames(plan.by);
  if (!answer) return null;
  const series = answer.series.filter((each) => each.currencyCode === "" || each.currencyCode === currency);
  const bars: Bar[] = series.map((each) => ({ label: nameOf(each.key), cell: plan.span === "now" ? (each.items.at(-1) ?? each.total) : each.total }));
  // Ages have an order of their own, which the server keeps.
  if (plan.by !== "age") bars.sort((one, other) => (other.cell.value ?? 0) - (one.cell.value ?? 0));
  if (bars.length === 0) return <Empty>Nothing was counted in this time.</Empty>;
  const more = bars.length - MOST_BARS;
  return (
    <>
      <Bars bars={bars.slice(0, MOST_BARS)} style={{ unit: answer.metric.unit, currencyCode: currency }} title={plan.title} heading={plan.by ?? ""} />
      {more > 0 && <p className="fine">{more} more in the CSV.</p>}
    </>
  );
}
