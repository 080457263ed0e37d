import { Duration } from 'aws-cdk-lib';
import {
  type ContainerDefinitionOptions,
  type ContainerImage,
  type HealthCheck,
  Capability,
  LinuxParameters,
  LogDriver,
} from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';

/** The user of every image: nobody, by the number that distroless images have. */
const NOBODY = '65532:65532';

/** What a container of ours is started with, whatever is in it. */
export interface HardenedOptions {
  readonly name: string;
  readonly image: ContainerImage;
  readonly logGroup: ILogGroup;
  /** @default - as long as AWS gives it, 30 seconds */
  readonly stopTimeout?: Duration;
  /**
   * What answers with a success while the container is well; ECS replaces a task of which one is not.
   *
   * @default - it is well for as long as it runs
   */
  readonly probe?: string;
  /** @default NOBODY */
  readonly user?: string;
}

/** Says of the role by which ECS starts a task why it may do one thing to everything. */
export function acknowledgePulling(executionRole: IRole): void {
  acknowledge(
    executionRole,
    'To ask for a token with which images are pulled is an action without a resource; the images themselves are named.',
    'AwsSolutions-IAM5[Resource::*]',
  );
}

/** Asked by the one program that every image of ours has, since none has a shell (`tools/entrypoint`). */
function healthCheck(url: string): HealthCheck {
  return {
    command: ['CMD', '/entrypoint', 'probe', url],
    interval: Duration.seconds(10),
    timeout: Duration.seconds(5),
    retries: 3,
    // What does not start ends by itself, and sooner.
    startPeriod: Duration.seconds(60),
  };
}

/** Nobody's process, without a capability or a file that it could write. */
export function hardened(
  scope: Construct,
  options: HardenedOptions,
): ContainerDefinitionOptions & { image: ContainerImage } {
  const linuxParameters = new LinuxParameters(scope, `${options.name}-linux`, { initProcessEnabled: false });
  linuxParameters.dropCapabilities(Capability.ALL);
  return {
    containerName: options.name,
    image: options.image,
    user: options.user ?? NOBODY,
    readonlyRootFilesystem: true,
    privileged: false,
    linuxParameters,
    logging: LogDriver.awsLogs({ logGroup: options.logGroup, streamPrefix: options.name }),
    ...(options.stopTimeout && { stopTimeout: options.stopTimeout }),
    ...(options.probe !== undefined && { healthCheck: healthCheck(options.probe) }),
  };
}
