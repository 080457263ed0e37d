/** The whole system, as stacks by concern. */
import { type App, type Environment, Tags } from 'aws-cdk-lib';
import { acknowledge } from './acknowledge.js';
import { DataStack } from './data/data-stack.js';
import type { Installation } from './installation.js';
import { NetworkStack } from './network/network-stack.js';
import { ObservabilityStack } from './observability/observability-stack.js';
import { PlatformStack } from './platform/platform-stack.js';
import { apps } from './repository.js';
import { ServicesStack } from './services/services-stack.js';
import type { Stage } from './stage.js';

/** What is deployed, and where. */
export interface SystemProps {
  readonly stage: Stage;
  readonly installation: Installation;
  readonly env: Required<Environment>;
}

/** The stacks of a system, in the order in which they are deployed. */
export interface System {
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly platform: PlatformStack;
  readonly services: ServicesStack;
  readonly observability: ObservabilityStack;
}

/** Puts the stacks of a system into an app. */
export function addSystem(app: App, { stage, installation, env }: SystemProps): System {
  const name = (part: string) => `pms-${stage.name}-${part}`;
  const common = { stage, apps: apps(), env, terminationProtection: stage.keeps };
  const network = new NetworkStack(app, name('network'), { ...common, description: 'PMS: network' });
  const data = new DataStack(app, name('data'), { ...common, description: 'PMS: databases, events, secrets', network });
  const platform = new PlatformStack(app, name('platform'), {
    ...common,
    description: 'PMS: cluster, images, logs, migrations',
    network,
    data,
    imageTag: installation.imageTag,
  });
  const services = new ServicesStack(app, name('services'), {
    ...common,
    description: 'PMS: services and the public door',
    network,
    data,
    platform,
    installation,
  });
  const observability = new ObservabilityStack(app, name('observability'), {
    ...common,
    description: 'PMS: alarms and a dashboard',
    network,
    data,
    services,
    installation,
  });
  acknowledge(
    app,
    'A policy of one role alone lives and dies with it; nobody else can be given it by mistake.',
    'HIPAA.Security-IAMNoInlinePolicy',
  );
  if (!stage.keeps) {
    acknowledge(
      app,
      "This stage holds no person's data, may be lost, and is cheap to throw away.",
      'AwsSolutions-RDS3',
      'AwsSolutions-RDS10',
      'HIPAA.Security-ELBDeletionProtectionEnabled',
      'HIPAA.Security-RDSEnhancedMonitoringEnabled',
      'HIPAA.Security-RDSInstanceDeletionProtectionEnabled',
      'HIPAA.Security-RDSMultiAZSupport',
    );
  }
  Tags.of(app).add('system', 'pms');
  Tags.of(app).add('stage', stage.name);
  Tags.of(app).add('data', stage.keeps ? 'phi' : 'none');
  return { network, data, platform, services, observability };
}
