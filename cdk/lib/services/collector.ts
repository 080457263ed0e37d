import { type ContainerDefinition, type ContainerImage, type FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { stringify } from 'yaml';
import { acknowledge } from '../acknowledge.js';
import { hardened } from '../platform/hardened.js';
import * as ports from '../ports.js';

/** What becomes a metric of CloudWatch, and which of its attributes tell two of them apart. */
export const METRICS: readonly { readonly by: readonly string[]; readonly names: readonly string[] }[] = [
  {
    by: ['service.name'],
    names: [
      'outbox.depth',
      'outbox.age',
      'dead_letters',
      'audit.waiting',
      'audit.waiting.age',
      'access.keys.age',
      'gateway.requests.repeated',
      'gateway.requests.refused',
      'reconciliation.divergent',
      'claims.unsent',
      'claims.due',
      'remittances.waiting',
    ],
  },
  { by: ['service.name', 'http.response.status_code'], names: ['http.server.request.duration'] },
  { by: ['service.name', 'messaging.destination.name'], names: ['messaging.process.lag'] },
];

/** The collector's configuration: everything comes in on loopback and leaves through AWS's own endpoints. */
export function collectorConfiguration(namespace: string, logGroup: string, region: string): string {
  const escaped = (name: string) => `^${name.replaceAll('.', '\\.')}$`;
  return stringify({
    receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${ports.COLLECTOR}` } } } },
    processors: {
      // Which task it is, for the name of the log stream.
      resourcedetection: { detectors: ['ecs'], override: false },
      batch: { timeout: '10s' },
    },
    exporters: {
      awsemf: {
        namespace,
        region,
        log_group_name: logGroup,
        log_stream_name: '{TaskId}',
        dimension_rollup_option: 'NoDimensionRollup',
        resource_to_telemetry_conversion: { enabled: true },
        metric_declarations: METRICS.map(({ by, names }) => ({
          dimensions: [by],
          metric_name_selectors: names.map(escaped),
        })),
      },
      awsxray: { region },
    },
    service: {
      pipelines: {
        metrics: { receivers: ['otlp'], processors: ['resourcedetection', 'batch'], exporters: ['awsemf'] },
        traces: { receivers: ['otlp'], processors: ['resourcedetection', 'batch'], exporters: ['awsxray'] },
      },
      telemetry: { logs: { level: 'warn' } },
    },
  });
}

/** A collector. */
export interface CollectorProps {
  readonly taskDefinition: FargateTaskDefinition;
  readonly image: ContainerImage;
  readonly logGroup: ILogGroup;
  /** Where metrics go. */
  readonly metrics: ILogGroup;
  readonly namespace: string;
  readonly region: string;
}

/** An OpenTelemetry collector beside an app in one task, for metrics and traces; the task goes on without it. */
export class Collector extends Construct {
  readonly container: ContainerDefinition;

  constructor(scope: Construct, id: string, props: CollectorProps) {
    super(scope, id);
    this.container = props.taskDefinition.addContainer('collector', {
      ...hardened(this, { name: 'collector', image: props.image, logGroup: props.logGroup }),
      essential: false,
      memoryReservationMiB: 64,
      environment: {
        AWS_REGION: props.region,
        AOT_CONFIG_CONTENT: collectorConfiguration(props.namespace, props.metrics.logGroupName, props.region),
      },
    });
    props.metrics.grantWrite(props.taskDefinition.taskRole);
    props.taskDefinition.addToTaskRolePolicy(
      new PolicyStatement({ actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] }),
    );
    acknowledge(
      props.taskDefinition.taskRole,
      'Traces are of no resource: X-Ray knows these actions for all of them alone.',
      'AwsSolutions-IAM5[Resource::*]',
    );
  }
}
