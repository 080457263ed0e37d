import { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  type ContainerImage,
  type ICluster,
  FargateService,
  FargateTaskDefinition,
  PropagatedTagSource,
  Secret,
} from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { type IPrivateDnsNamespace, DnsRecordType } from 'aws-cdk-lib/aws-servicediscovery';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';
import { SUBNETS } from '../network/network-stack.js';
import { architecture } from '../platform/architecture.js';
import { hardened } from '../platform/hardened.js';
import * as ports from '../ports.js';
import { NAMESPACE } from '../secrets/identities.js';
import type { ServiceSize } from '../stage.js';

/** Sentry as a service of ECS. */
export interface AuthorityServiceProps {
  /** The name of its task definitions. */
  readonly family: string;
  readonly size: ServiceSize;
  readonly cluster: ICluster;
  readonly securityGroup: ISecurityGroup;
  readonly namespace: IPrivateDnsNamespace;
  readonly image: ContainerImage;
  /** The certificates that it issues by, and who signs the tokens that it believes. */
  readonly credentials: ISecret;
  readonly logGroup: ILogGroup;
}

/**
 * Dapr's certificate authority, which gives each sidecar the certificate of its own app: whom it serves it knows by a
 * token that the app's task alone is given.
 */
export class AuthorityService extends Construct {
  readonly service: FargateService;
  readonly taskDefinition: FargateTaskDefinition;
  /** Host and port, as a sidecar is told them. */
  readonly address: string;

  constructor(scope: Construct, id: string, props: AuthorityServiceProps) {
    super(scope, id);
    this.taskDefinition = new FargateTaskDefinition(this, 'Task', {
      family: props.family,
      cpu: props.size.cpu,
      memoryLimitMiB: props.size.memory,
      runtimePlatform: architecture,
    });
    this.taskDefinition.addContainer('sentry', {
      ...hardened(this, {
        name: 'sentry',
        image: props.image,
        logGroup: props.logGroup,
        probe: 'http://127.0.0.1:8080/healthz',
      }),
      entryPoint: ['/sentry'],
      command: [
        ...['--config', '/dapr/aws/sentry.yaml', '--trust-domain', 'localhost'],
        ...['--listen-address', '0.0.0.0', '--port', String(ports.AUTHORITY)],
        ...['--healthz-listen-address', '127.0.0.1', '--healthz-port', '8080'],
        ...['--enable-metrics=false', '--log-as-json'],
      ],
      environment: { NAMESPACE },
      secrets: {
        PMS_SENTRY_CREDENTIALS: Secret.fromSecretsManager(props.credentials),
        PMS_SENTRY_JWKS: Secret.fromSecretsManager(props.credentials, 'jwks'),
      },
    });
    this.service = new FargateService(this, 'Service', {
      serviceName: 'sentry',
      cluster: props.cluster,
      taskDefinition: this.taskDefinition,
      desiredCount: props.size.min,
      vpcSubnets: { subnetGroupName: SUBNETS.tasks },
      securityGroups: [props.securityGroup],
      assignPublicIp: false,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      propagateTags: PropagatedTagSource.SERVICE,
      cloudMapOptions: {
        name: 'sentry',
        cloudMapNamespace: props.namespace,
        dnsRecordType: DnsRecordType.A,
        dnsTtl: Duration.seconds(5),
      },
    });
    acknowledge(this.taskDefinition, 'The name of a namespace.', 'AwsSolutions-ECS2');
    this.address = `sentry.${props.namespace.namespaceName}:${ports.AUTHORITY}`;
  }
}
