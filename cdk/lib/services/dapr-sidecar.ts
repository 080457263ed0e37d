import { Duration } from 'aws-cdk-lib';
import { type ContainerDefinition, type ContainerImage, type FargateTaskDefinition, Secret } from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { hardened } from '../platform/hardened.js';
import * as ports from '../ports.js';
import type { RunFileApp } from '../repository.js';
import { NAMESPACE } from '../secrets/identities.js';
import { sidecarCommand } from './sidecar-command.js';

/** A sidecar. */
export interface DaprSidecarProps {
  readonly taskDefinition: FargateTaskDefinition;
  /** The app, as the run file starts it. */
  readonly run: RunFileApp;
  /** Our daprd, with the components and configurations of the repository. */
  readonly image: ContainerImage;
  readonly logGroup: ILogGroup;
  /** What it shows sentry and its app. */
  readonly identity: ISecret;
  /** What stands before the names of its secrets. */
  readonly secretPrefix: string;
  /** Where apps have names. */
  readonly domain: string;
  /** Host and port of sentry. */
  readonly authority: string;
  readonly region: string;
}

/** daprd beside an app in one task: the only one that the app speaks to. */
export class DaprSidecar extends Construct {
  readonly container: ContainerDefinition;

  constructor(scope: Construct, id: string, props: DaprSidecarProps) {
    super(scope, id);
    const { identity } = props;
    this.container = props.taskDefinition.addContainer('daprd', {
      ...hardened(this, {
        name: 'daprd',
        image: props.image,
        logGroup: props.logGroup,
        // It is told to end after its app, and leaves its consumer group then.
        stopTimeout: Duration.seconds(30),
        // Its components are there, with or without its app.
        probe: `http://127.0.0.1:${ports.DAPR_HTTP}/v1.0/healthz/outbound`,
      }),
      entryPoint: ['/daprd'],
      command: sidecarCommand(props.run, props.authority),
      environment: {
        NAMESPACE,
        AWS_REGION: props.region,
        PMS_DOMAIN: props.domain,
        PMS_SECRET_PREFIX: props.secretPrefix,
        // Measured: 8-20 % less CPU for 40 MB more.
        GOGC: '400',
      },
      secrets: {
        DAPR_TRUST_ANCHORS: Secret.fromSecretsManager(identity, 'trustAnchors'),
        PMS_SENTRY_TOKEN: Secret.fromSecretsManager(identity, 'sentryToken'),
        DAPR_API_TOKEN: Secret.fromSecretsManager(identity, 'daprApiToken'),
        APP_API_TOKEN: Secret.fromSecretsManager(identity, 'appApiToken'),
      },
    });
  }
}
