/** Alarms are on figures that somebody tells. */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT, apps } from '../lib/repository.js';
import { METRICS } from '../lib/services/collector.js';
import { containers, resources, synthesised } from './system.js';

const { templates } = synthesised();

interface MetricOfAlarm {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

/** The figures that alarms are on, also those inside of expressions. */
const watched = Object.values(resources(templates.observability, 'AWS::CloudWatch::Alarm')).flatMap(({ Properties }) =>
  Properties['Metrics']
    ? (Properties['Metrics'] as { MetricStat?: { Metric: MetricOfAlarm } }[]).flatMap(
        ({ MetricStat }) => MetricStat?.Metric ?? [],
      )
    : [Properties as MetricOfAlarm],
);
const own = watched.filter(({ Namespace }) => Namespace === 'PMS/production');

/** The names that the code of crates and services gives to its instruments. */
function told(): Set<string> {
  const names = new Set<string>();
  for (const folder of ['crates', 'services']) {
    for (const file of readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.rs')) continue;
      const source = readFileSync(`${ROOT}${folder}/${file}`, 'utf8');
      for (const [, name] of source.matchAll(/(?:f64_histogram|[fu]64_gauge|u64_counter)\(\s*"([^"]+)"/g))
        names.add(name ?? '');
      // Where a service names several gauges at once.
      if (!/u64_gauge\(name\)/.test(source)) continue;
      for (const [, name] of source.matchAll(/gauge\(\s*"([^"]+)"/g)) names.add(name ?? '');
    }
  }
  return names;
}

test('what an alarm or the collector names is told by the code', () => {
  const names = told();
  expect(own.length).toBeGreaterThan(40);
  expect([...new Set(own.map(({ MetricName }) => MetricName))].filter((name) => !names.has(name))).toEqual([]);
  expect(METRICS.flatMap((metric) => metric.names).filter((name) => !names.has(name))).toEqual([]);
});

test('the collector makes a metric of it, told apart as the alarm asks for it', () => {
  for (const { MetricName, Dimensions = [] } of own) {
    const by = METRICS.find((metric) => metric.names.includes(MetricName))?.by;
    expect(Dimensions.map(({ Name }) => Name).sort(), MetricName).toEqual([...(by ?? [])].sort());
  }
});

test('there are alarms on errors, outboxes, lag, backlog and dead letters of whoever has them', () => {
  const has = (name: string, dimensions: Record<string, string>) =>
    watched.some(
      (metric) =>
        metric.MetricName === name &&
        Object.entries(dimensions).every(([key, value]) =>
          metric.Dimensions?.some((dimension) => dimension.Name === key && dimension.Value === value),
        ),
    );
  for (const app of apps()) {
    const of = { 'service.name': app.id };
    for (const status of ['500', '503']) {
      expect(has('http.server.request.duration', { ...of, 'http.response.status_code': status }), app.id).toBe(true);
    }
    expect([has('outbox.depth', of), has('outbox.age', of)], app.id).toEqual(Array(2).fill(app.publishes.length > 0));
    expect(has('dead_letters', of), app.id).toBe(app.hasPubsub);
    for (const topic of app.subscribes) {
      expect(has('messaging.process.lag', { ...of, 'messaging.destination.name': topic }), topic).toBe(true);
      expect(has('SumOffsetLag', { 'Consumer Group': app.id, 'Topic': topic }), topic).toBe(true);
    }
  }
});

test('an alarm tells somebody, and says what it means', () => {
  for (const { Properties } of Object.values(resources(templates.observability, 'AWS::CloudWatch::Alarm'))) {
    expect(Properties['AlarmActions'], String(Properties['AlarmName'])).toHaveLength(1);
    expect(String(Properties['AlarmDescription']).length).toBeGreaterThan(20);
  }
  templates.observability.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
});

test('a collector listens on loopback, and what it sends is a minute by itself', () => {
  for (const { id } of apps()) {
    const task = containers(templates.services, id);
    const value = (container: string, name: string) =>
      task[container]?.Environment?.find((variable) => variable.Name === name)?.Value;
    const configuration = JSON.stringify(value('collector', 'AOT_CONFIG_CONTENT'));
    expect(configuration).toContain('127.0.0.1:4317');
    expect(configuration).not.toContain('0.0.0.0');
    expect(value(id, 'OTEL_EXPORTER_OTLP_ENDPOINT')).toBe('http://127.0.0.1:4317');
    expect(value(id, 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE')).toBe('delta');
  }
});

test('the figures that operators are told of are the ones that are looked at', () => {
  const page = readFileSync(`${ROOT}docs/operations.md`, 'utf8');
  for (const { names } of METRICS) {
    for (const name of names.filter((name) => name !== 'gateway.requests.refused'))
      expect(page).toContain(`\`${name}\``);
  }
});
