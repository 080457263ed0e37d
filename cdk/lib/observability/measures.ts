/** The figures that are looked at: those that the services tell themselves, and those of AWS about what they stand on. */
import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { clusterName, metricNamespace } from '../names.js';
import type { Stage } from '../stage.js';

const MINUTE = Duration.minutes(1);

/** Answers of which the fault is ours, as the services count them. */
const FAILURES = ['500', '502', '503', '504'];

/** Figures of one stage. */
export class Measures {
  constructor(private readonly stage: Stage) {}

  /** A figure that an app tells of itself, by its name in the code (docs/operations.md lists them). */
  own(name: string, app: string, statistic: string, by: Record<string, string> = {}): Metric {
    return new Metric({
      namespace: metricNamespace(this.stage),
      metricName: name,
      dimensionsMap: { 'service.name': app, ...by },
      statistic,
      period: MINUTE,
    });
  }

  /** How many requests an app failed to answer in a minute. */
  failures(app: string): IMetric {
    const answers = FAILURES.map((status) => [
      `${app}${status}`,
      this.own('http.server.request.duration', app, Stats.SAMPLE_COUNT, { 'http.response.status_code': status }),
    ]);
    return new MathExpression({
      expression: FAILURES.map((status) => `FILL(${app}${status}, 0)`).join(' + '),
      usingMetrics: Object.fromEntries(answers) as Record<string, IMetric>,
      period: MINUTE,
      label: app,
    });
  }

  /** How old the oldest event was that an app applied, or failed to apply, in a minute. */
  lag(app: string, topic: string): Metric {
    return this.own('messaging.process.lag', app, Stats.MAXIMUM, { 'messaging.destination.name': topic });
  }

  /** How many events an app has not been given yet, as the broker counts them: it tells also where nobody listens. */
  backlog(app: string, topic: string): Metric {
    return this.ofBroker('SumOffsetLag', { 'Consumer Group': app, 'Topic': topic });
  }

  /** A figure of the Kafka cluster. */
  ofBroker(name: string, by: Record<string, string> = {}): Metric {
    return new Metric({
      namespace: 'AWS/Kafka',
      metricName: name,
      dimensionsMap: { 'Cluster Name': clusterName(this.stage), ...by },
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(5),
    });
  }

  /** How many tasks of a service run. */
  tasks(cluster: string, service: string): Metric {
    return new Metric({
      namespace: 'ECS/ContainerInsights',
      metricName: 'RunningTaskCount',
      dimensionsMap: { ClusterName: cluster, ServiceName: service },
      statistic: Stats.MINIMUM,
      period: MINUTE,
    });
  }
}
