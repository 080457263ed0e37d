import { CfnOutput, Stack } from 'aws-cdk-lib';
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import { type ILogGroup, LogGroup } from 'aws-cdk-lib/aws-logs';
import { PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';
import type { DataStack } from '../data/data-stack.js';
import { IMAGES, domain } from '../names.js';
import { type NetworkStack, SUBNETS } from '../network/network-stack.js';
import { type PmsStackProps, removal, retention } from '../pms-stack.js';
import type { Stage } from '../stage.js';
import { acknowledgePulling } from './hardened.js';
import { ImageRepositories } from './image-repositories.js';
import { MigrationTask } from './migration-task.js';

/** What the platform needs of others. */
export interface PlatformStackProps extends PmsStackProps {
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly imageTag: string;
}

/** The family of the tasks that prepare an app's database. */
export const migrationFamily = (stage: Stage, app: string) => `pms-${stage.name}-migrate-${app}`;

/** What tasks run on, images come from and logs go to, and the tasks that have to run before the services. */
export class PlatformStack extends Stack {
  readonly cluster: Cluster;
  readonly namespace: PrivateDnsNamespace;
  readonly images: ImageRepositories;
  /** Where the collectors of all tasks write metrics, as lines that CloudWatch reads figures from. */
  readonly metrics: ILogGroup;
  private readonly logs = new Map<string, ILogGroup>();

  constructor(scope: Construct, id: string, props: PlatformStackProps) {
    super(scope, id, props);
    const { stage, apps, network, data } = props;
    this.images = new ImageRepositories(this, 'Images', {
      stage,
      apps: apps.map((app) => app.id),
      imageTag: props.imageTag,
    });
    this.cluster = new Cluster(this, 'Cluster', {
      clusterName: `pms-${stage.name}`,
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    this.namespace = new PrivateDnsNamespace(this, 'Namespace', {
      name: domain(stage),
      vpc: network.vpc,
      description: 'Where sidecars find each other',
    });
    for (const name of [...apps.map((app) => app.id), 'sentry', 'migrate', 'metrics']) {
      const logGroup = new LogGroup(this, `Logs-${name}`, {
        logGroupName: `/pms/${stage.name}/${name}`,
        retention: retention(stage),
        encryptionKey: network.logKey,
        // The audits' checkpoints are in them.
        removalPolicy: removal(stage),
      });
      this.logs.set(name, logGroup);
    }
    this.metrics = this.logsOf('metrics');
    for (const app of apps) {
      const { database } = data.of(app.id);
      if (!database) continue;
      const task = new MigrationTask(this, `Migration-${app.id}`, {
        app: app.id,
        family: migrationFamily(stage, app.id),
        image: this.images.image(IMAGES.migrate),
        database,
        logGroup: this.logsOf('migrate'),
      });
      const execution = task.definition.obtainExecutionRole();
      data.grantUnseal(execution);
      acknowledgePulling(execution);
      acknowledge(
        task.definition,
        'An address, a port and how to check a certificate; what is secret comes out of Secrets Manager.',
        'AwsSolutions-ECS2',
      );
    }
    // What `npm run migrate` has to know.
    const subnets = network.vpc.selectSubnets({ subnetGroupName: SUBNETS.tasks }).subnetIds;
    new CfnOutput(this, 'ClusterName', { value: this.cluster.clusterName });
    new CfnOutput(this, 'TaskSubnets', { value: subnets.join(',') });
    new CfnOutput(this, 'MigrationSecurityGroup', { value: network.groups.migration.securityGroupId });
  }

  /** Where an app's task logs to. */
  logsOf(name: string): ILogGroup {
    const logGroup = this.logs.get(name);
    if (!logGroup) throw new Error(`there are no logs of ${name}`);
    return logGroup;
  }
}
