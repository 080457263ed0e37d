import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { ApplicationLoadBalancer, ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { HttpCodeElb } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { DatabaseInstance } from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import type { AppDefinition } from '../repository.js';
import type { Stage } from '../stage.js';
import type { Measures } from './measures.js';

const GIB = 1024 ** 3;

/** What an alarm is about. */
interface Watch {
  readonly metric: IMetric;
  /** Beyond this value. */
  readonly threshold: number;
  /** @default 3 minutes or periods in a row */
  readonly periods?: number;
  /** What it means, and where it says what to do. */
  readonly description: string;
  /** @default - beyond is above */
  readonly below?: boolean;
  /**
   * What it means when nothing is told.
   *
   * @default NOT_BREACHING
   */
  readonly silence?: TreatMissingData;
}

/** What is watched. */
export interface AlarmsProps {
  readonly stage: Stage;
  readonly apps: readonly AppDefinition[];
  readonly measures: Measures;
  readonly cluster: string;
  readonly databases: ReadonlyMap<string, DatabaseInstance>;
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly targets: ApplicationTargetGroup;
  readonly action: IAlarmAction;
}

/** The alarms: what a person has to look at, and nothing else. */
export class Alarms extends Construct {
  private readonly name: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AlarmsProps,
  ) {
    super(scope, id);
    this.name = `pms-${props.stage.name}`;
    for (const app of props.apps) this.watchApp(app);
    for (const [app, database] of props.databases) this.watchDatabase(app, database);
    this.watchBroker();
    this.watchDoor();
  }

  private watchApp(app: AppDefinition): void {
    const { measures, stage, cluster } = this.props;
    this.watch(`${app.id}-errors`, {
      metric: measures.failures(app.id),
      threshold: 5,
      description: `${app.id} failed to answer more than 5 requests a minute: its log has each with its cause.`,
    });
    this.watch(`${app.id}-tasks`, {
      metric: measures.tasks(cluster, app.id),
      threshold: stage.services[app.id]?.min ?? 1,
      below: true,
      periods: 5,
      silence: TreatMissingData.BREACHING,
      description: `Fewer tasks of ${app.id} run than should: the service's events say why.`,
    });
    if (app.publishes.length > 0) {
      this.watch(`${app.id}-outbox-age`, {
        metric: measures.own('outbox.age', app.id, Stats.MAXIMUM),
        threshold: 60,
        // It is told every minute while the app and its database are well.
        silence: TreatMissingData.BREACHING,
        description: `An event of ${app.id} has waited for more than a minute: is the broker away?`,
      });
      this.watch(`${app.id}-outbox-depth`, {
        metric: measures.own('outbox.depth', app.id, Stats.MAXIMUM),
        threshold: 10_000,
        description: `More than 10,000 events of ${app.id} wait to leave.`,
      });
    }
    for (const topic of app.subscribes) {
      const name = `${app.id}-${topic.replaceAll('.', '-')}`;
      this.watch(`${name}-lag`, {
        metric: measures.lag(app.id, topic),
        threshold: 120,
        description: `${app.id} applies, or fails to apply, events of ${topic} more than two minutes late.`,
      });
      this.watch(`${name}-backlog`, {
        metric: measures.backlog(app.id, topic),
        threshold: 10_000,
        description: `More than 10,000 events of ${topic} wait for ${app.id}.`,
      });
    }
    if (app.hasDatabase && app.hasPubsub) {
      this.watch(`${app.id}-dead-letters`, {
        metric: measures.own('dead_letters', app.id, Stats.MAXIMUM),
        threshold: 0,
        periods: 1,
        description: `A message that ${app.id} can never use waits for an operator: docs/operations.md, Dead letters.`,
      });
    }
    if (app.secrets.includes('audit-key')) {
      this.watch(`${app.id}-audit`, {
        metric: measures.own('audit.waiting.age', app.id, Stats.MAXIMUM),
        threshold: 60,
        description: `Nobody has sealed the audit of ${app.id} for a minute: docs/operations.md, Audit.`,
      });
    }
    if (app.callees.includes('auth')) {
      this.watch(`${app.id}-keys`, {
        metric: measures.own('access.keys.age', app.id, Stats.MAXIMUM),
        threshold: 60,
        description: `${app.id} has not heard from auth for a minute, and goes by the keys of before.`,
      });
    }
    if (app.id === 'analytics') {
      this.watch('analytics-divergent', {
        metric: measures.own('reconciliation.divergent', app.id, Stats.MAXIMUM),
        threshold: 0,
        periods: 1,
        description: 'Figures are not as they were told even now: docs/operations.md, Figures.',
      });
    }
  }

  private watchDatabase(app: string, database: DatabaseInstance): void {
    const size = this.props.stage.databases[app]?.storage[0] ?? 0;
    this.watch(`${app}-database-cpu`, {
      metric: database.metricCPUUtilization({ period: Duration.minutes(5) }),
      threshold: 85,
      description: `The database of ${app} is busy.`,
    });
    this.watch(`${app}-database-storage`, {
      metric: database.metricFreeStorageSpace({ period: Duration.minutes(5), statistic: Stats.MINIMUM }),
      threshold: 0.1 * size * GIB,
      below: true,
      description: `The database of ${app} is nearly full, and has not grown by itself.`,
    });
  }

  private watchBroker(): void {
    const { measures, stage } = this.props;
    this.watch('broker-offline', {
      metric: measures.ofBroker('OfflinePartitionsCount'),
      threshold: 0,
      periods: 1,
      description: 'Partitions without a leader: events wait in the outboxes.',
    });
    for (let broker = 1; broker <= stage.zones; broker += 1) {
      this.watch(`broker-${broker}-storage`, {
        metric: measures.ofBroker('KafkaDataLogsDiskUsed', { 'Broker ID': String(broker) }),
        threshold: 80,
        description: `Broker ${broker} is nearly full.`,
      });
    }
  }

  private watchDoor(): void {
    const { loadBalancer, targets } = this.props;
    this.watch('door-errors', {
      metric: loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, {
        period: Duration.minutes(1),
        statistic: Stats.SUM,
      }),
      threshold: 5,
      description:
        'The load balancer itself answered requests with an error: it reaches no gateway, or loses connections.',
    });
    this.watch('door-unhealthy', {
      metric: targets.metrics.unhealthyHostCount({ period: Duration.minutes(1), statistic: Stats.MAXIMUM }),
      threshold: 0,
      periods: 5,
      description: 'A gateway has not been ready for five minutes.',
    });
  }

  private watch(name: string, { metric, threshold, periods = 3, description, below = false, silence }: Watch): void {
    const alarm = new Alarm(this, name, {
      alarmName: `${this.name}-${name}`,
      alarmDescription: description,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: below ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: silence ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.props.action);
    alarm.addOkAction(this.props.action);
  }
}
