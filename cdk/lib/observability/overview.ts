import { Dashboard, GraphWidget, type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { DatabaseInstance } from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import type { AppDefinition } from '../repository.js';
import type { Stage } from '../stage.js';
import type { Measures } from './measures.js';

/** What is shown. */
export interface OverviewProps {
  readonly stage: Stage;
  readonly apps: readonly AppDefinition[];
  readonly measures: Measures;
  readonly cluster: string;
  readonly databases: ReadonlyMap<string, DatabaseInstance>;
  readonly targets: ApplicationTargetGroup;
}

/** A dashboard, from the public door inwards: what clients see, what services do, what waits, what it stands on. */
export class Overview extends Construct {
  constructor(scope: Construct, id: string, { stage, apps, measures, cluster, databases, targets }: OverviewProps) {
    super(scope, id);
    const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 8, height: 6 });
    const publishers = apps.filter((app) => app.publishes.length > 0);
    const consumers = apps.flatMap((app) => app.subscribes.map((topic) => ({ app: app.id, topic })));
    const of = (name: string, which: readonly AppDefinition[]) =>
      which.map((app) => measures.own(name, app.id, Stats.MAXIMUM).with({ label: app.id }));
    const response = (statistic: string) => targets.metrics.targetResponseTime({ statistic, label: statistic });
    new Dashboard(this, 'Dashboard', {
      dashboardName: `pms-${stage.name}`,
      widgets: [
        [
          graph('Requests', [targets.metrics.requestCount({ label: 'requests' })]),
          graph('Seconds to an answer', [response('p50'), response('p99')]),
          graph('Errors to clients', [
            targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_4XX_COUNT, { label: '4xx' }),
            targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { label: '5xx' }),
          ]),
        ],
        [
          graph(
            'Failures by service',
            apps.map((app) => measures.failures(app.id)),
          ),
          graph(
            'Tasks',
            apps.map((app) => measures.tasks(cluster, app.id).with({ label: app.id })),
          ),
          graph(
            'Requests sent again by the gateway',
            of(
              'gateway.requests.repeated',
              apps.filter((app) => app.id === 'gateway'),
            ),
          ),
        ],
        [
          graph('Events that wait to leave', of('outbox.depth', publishers)),
          graph('How long the oldest waits', of('outbox.age', publishers)),
          graph(
            'Dead letters',
            of(
              'dead_letters',
              apps.filter((app) => app.hasDatabase && app.hasPubsub),
            ),
          ),
        ],
        [
          graph(
            'Age of events when applied',
            consumers.map(({ app, topic }) => measures.lag(app, topic).with({ label: `${app} ${topic}` })),
          ),
          graph(
            'Events not delivered yet',
            consumers.map(({ app, topic }) => measures.backlog(app, topic).with({ label: `${app} ${topic}` })),
          ),
          graph(
            'Audit not sealed yet',
            of(
              'audit.waiting.age',
              apps.filter((app) => app.secrets.includes('audit-key')),
            ),
          ),
        ],
        [
          graph(
            'CPU of databases',
            [...databases].map(([app, database]) => database.metricCPUUtilization({ label: app })),
          ),
          graph(
            'Connections of databases',
            [...databases].map(([app, database]) => database.metricDatabaseConnections({ label: app })),
          ),
          graph('Claims and remittances', [
            ...['claims.unsent', 'claims.due', 'remittances.waiting'].map((name) =>
              measures.own(name, 'billing', Stats.MAXIMUM).with({ label: name }),
            ),
          ]),
        ],
      ],
    });
  }
}
