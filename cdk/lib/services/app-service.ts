import { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  type ContainerImage,
  type ICluster,
  ContainerDependencyCondition,
  FargateService,
  FargateTaskDefinition,
  PropagatedTagSource,
  Secret,
} from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { type IPrivateDnsNamespace, DnsRecordType } from 'aws-cdk-lib/aws-servicediscovery';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';
import type { AppData } from '../data/data-stack.js';
import { SUBNETS } from '../network/network-stack.js';
import { architecture } from '../platform/architecture.js';
import { hardened } from '../platform/hardened.js';
import * as ports from '../ports.js';
import type { AppDefinition } from '../repository.js';
import type { ServiceSize } from '../stage.js';
import { Collector } from './collector.js';
import { DaprSidecar } from './dapr-sidecar.js';

/** The images of a task's containers. */
export interface TaskImages {
  readonly app: ContainerImage;
  readonly sidecar: ContainerImage;
  readonly collector: ContainerImage;
}

/** An app as a service of ECS. */
export interface AppServiceProps {
  readonly app: AppDefinition;
  /** The name of its task definitions. */
  readonly family: string;
  readonly size: ServiceSize;
  readonly cluster: ICluster;
  readonly securityGroup: ISecurityGroup;
  readonly namespace: IPrivateDnsNamespace;
  readonly images: TaskImages;
  readonly environment: Record<string, string>;
  readonly data: AppData;
  readonly secretPrefix: string;
  /** Host and port of sentry. */
  readonly authority: string;
  readonly logGroup: ILogGroup;
  readonly metrics: ILogGroup;
  readonly metricNamespace: string;
  readonly region: string;
  /**
   * How busy its tasks are before there are more of them, in per cent of their CPU.
   *
   * @default 60
   */
  readonly busy?: number;
}

/** How long a name of Cloud Map may be kept, and how soon a sidecar asks again. */
const NAME_LIVES = Duration.seconds(5);

/**
 * An app with its sidecar and collector in each of its tasks, under its app id in DNS, with as many tasks as its load
 * asks for; a deployment that does not come up is taken back.
 */
export class AppService extends Construct {
  readonly service: FargateService;
  readonly taskDefinition: FargateTaskDefinition;

  constructor(scope: Construct, id: string, props: AppServiceProps) {
    super(scope, id);
    const { app, size } = props;
    this.taskDefinition = this.makeTask(props);
    this.service = new FargateService(this, 'Service', {
      serviceName: app.id,
      cluster: props.cluster,
      taskDefinition: this.taskDefinition,
      desiredCount: size.min,
      vpcSubnets: { subnetGroupName: SUBNETS.tasks },
      securityGroups: [props.securityGroup],
      assignPublicIp: false,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      enableExecuteCommand: false,
      propagateTags: PropagatedTagSource.SERVICE,
      cloudMapOptions: {
        // Its name in DNS is its app id, by which sidecars ask for it.
        name: app.id,
        cloudMapNamespace: props.namespace,
        dnsRecordType: DnsRecordType.A,
        dnsTtl: NAME_LIVES,
      },
    });
    this.service.autoScaleTaskCount({ minCapacity: size.min, maxCapacity: size.max }).scaleOnCpuUtilization('Busy', {
      targetUtilizationPercent: props.busy ?? 60,
      scaleOutCooldown: Duration.minutes(1),
      // The last ones to come are the first to go, when it is clear that the rush is over.
      scaleInCooldown: Duration.minutes(5),
    });
  }

  private makeTask(props: AppServiceProps): FargateTaskDefinition {
    const { app, data, logGroup, region } = props;
    const taskDefinition = new FargateTaskDefinition(this, 'Task', {
      family: props.family,
      cpu: props.size.cpu,
      memoryLimitMiB: props.size.memory,
      runtimePlatform: architecture,
    });
    const collector = new Collector(this, 'Collector', {
      taskDefinition,
      image: props.images.collector,
      logGroup,
      metrics: props.metrics,
      namespace: props.metricNamespace,
      region,
    });
    const sidecar = new DaprSidecar(this, 'Sidecar', {
      taskDefinition,
      run: app.run,
      image: props.images.sidecar,
      logGroup,
      identity: data.identity,
      secretPrefix: props.secretPrefix,
      domain: props.namespace.namespaceName,
      authority: props.authority,
      region,
    });
    const service = taskDefinition.addContainer(app.id, {
      ...hardened(this, {
        name: app.id,
        image: props.images.app,
        logGroup,
        stopTimeout: Duration.seconds(15),
        // Alive, whatever its database and others are: to replace it would mend neither.
        probe: `http://127.0.0.1:${ports.APP}${app.run.appHealthCheckPath}`,
      }),
      entryPoint: ['/app'],
      environment: props.environment,
      secrets: {
        DAPR_API_TOKEN: Secret.fromSecretsManager(data.identity, 'daprApiToken'),
        APP_API_TOKEN: Secret.fromSecretsManager(data.identity, 'appApiToken'),
      },
      ...(app.id === 'gateway' && { portMappings: [{ containerPort: ports.PUBLIC }] }),
    });
    // Ended in the opposite order: the service finishes what it has begun, and needs its sidecar for that.
    sidecar.container.addContainerDependencies({
      container: collector.container,
      condition: ContainerDependencyCondition.START,
    });
    service.addContainerDependencies({
      container: sidecar.container,
      condition: ContainerDependencyCondition.HEALTHY,
    });
    taskDefinition.defaultContainer = service;
    for (const secret of data.read) secret.grantRead(taskDefinition.taskRole);
    acknowledge(
      taskDefinition,
      'Ports, addresses and switches; what is secret comes out of Secrets Manager.',
      'AwsSolutions-ECS2',
    );
    return taskDefinition;
  }
}
