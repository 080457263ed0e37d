/** @file The frame of a chart: its title, what is counted, the marks below, and what stands there when there is none. */

import { type ReactNode, useId } from "react";

import { exportAddress, type Metric, type MetricAnswer, type MetricQuery } from "../api/figures.ts";
import type { Answer } from "../api/useAnswer.ts";
import { currenciesOf } from "../charts/chart.ts";
import { FailureNotice } from "../shell/Notice.tsx";
import { Definition } from "./Definition.tsx";

interface PanelProps {
  title: string;
  metrics: Metric[];
  query: MetricQuery;
  answer: Answer<MetricAnswer[]>;
  /** What is chosen for this chart alone. */
  controls?: ReactNode;
  /** It has the whole width, and its title is the first on the page. */
  wide?: boolean;
  children: ReactNode;
}

/** The frame of a chart. */
export function Panel({ title, metrics, query, answer, controls, wide = false, children }: PanelProps) {
  const id = useId();
  let content = children;
  if (answer.failure) content = <FailureNotice failure={answer.failure} onRetry={answer.refresh} retrying={answer.busy} />;
  else if (!answer.data) content = <div className="skeleton panel-skeleton" aria-label="Loading" role="img" />;
  const Heading = wide ? "h2" : "h3";
  return (
    <section className={wide ? "panel wide" : "panel"} aria-labelledby={id} aria-busy={answer.busy || (!answer.data && !answer.failure)}>
      <div className="panel-head">
        <Heading id={id}>{title}</Heading>
        <Definition metrics={metrics} about={title} />
      </div>
      {controls}
      <div className="panel-body">{content}</div>
      <p className="panel-links">
        <span aria-hidden="true">CSV</span>
        {metrics.map((metric) => (
          <a key={metric.metric} href={exportAddress(metric.metric, query)} download={`${metric.metric}.csv`}>
            <span className="visually-hidden">CSV: </span>
            {metric.title}
          </a>
        ))}
      </p>
    </section>
  );
}

/** The currency that a chart is in, and the choice between several. */
export function chosenCurrency(answers: MetricAnswer[] | undefined, chosen: string): { currencies: string[]; currency: string } {
  const currencies = currenciesOf(answers ?? []);
  return { currencies, currency: currencies.includes(chosen) ? chosen : (currencies[0] ?? "") };
}

/** A choice with its label. */
export function Choice({ label, value, options, onChoose }: { label: string; value: string; options: [string, string][]; onChoose: (value: string) => void }) {
  return (
    <label className="field-inline">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChoose(event.target.value)}>
        {options.map(([option, title]) => (
          <option key={option} value={option}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
