/** What has to be there after a deployment, asked of the services' own APIs. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeAlarmsCommand, CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListTasksCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { KafkaClient, ListClustersCommand } from '@aws-sdk/client-kafka';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListNamespacesCommand, ListServicesCommand, ServiceDiscoveryClient } from '@aws-sdk/client-servicediscovery';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate, placeOf } from '../../lib/platform/run-migrations.js';
import { apps } from '../../lib/repository.js';
import type { Stage } from '../../lib/stage.js';
import { PARTS } from '../system.js';

/** How a client of the SDK finds the emulator. */
export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const sorted = (names: (string | undefined)[]) => names.map((name) => name ?? '').sort();

/** Every stack is there. */
export async function stacks(config: ClientConfig, stage: Stage, state: 'there' | 'gone'): Promise<void> {
  const { Stacks = [] } = await new CloudFormationClient(config).send(new DescribeStacksCommand({}));
  const ours = Stacks.filter(
    ({ StackName, StackStatus }) => StackName?.startsWith('pms-') && StackStatus !== 'DELETE_COMPLETE',
  );
  assert.deepEqual(
    sorted(ours.filter(({ StackStatus }) => StackStatus?.endsWith('_COMPLETE')).map(({ StackName }) => StackName)),
    state === 'there' ? sorted(PARTS.map((part) => `pms-${stage.name}-${part}`)) : [],
  );
}

/** Secrets that CloudFormation generated are whole, and those that it could not make have been filled. */
export async function secrets(config: ClientConfig, stage: Stage): Promise<void> {
  const client = new SecretsManagerClient(config);
  const value = async (name: string) =>
    (await client.send(new GetSecretValueCommand({ SecretId: `pms/${stage.name}/${name}` }))).SecretString ?? '';
  const connection = JSON.parse(await value('patient/statestore-connection')) as Record<string, string>;
  // Of which characters, the emulator decides for itself.
  assert.equal(connection['password']?.length, 40);
  assert.match(
    connection['connection'] ?? '',
    /dbname=patient-service-db user=patient-service-state sslmode=verify-full/,
  );
  assert.match(await value('auth/signing-key'), /^-----BEGIN PRIVATE KEY-----/);
  for (const app of apps()) assert.ok(JSON.parse(await value(`${app.id}/identity`)).sentryToken);
}

/** Alarms and what they are on. */
export async function alarms(config: ClientConfig, stage: Stage): Promise<void> {
  const client = new CloudWatchClient(config);
  const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ MaxRecords: 100 }));
  const names = MetricAlarms.map(({ AlarmName }) => AlarmName ?? '');
  for (const name of [
    'patient-errors',
    'patient-outbox-age',
    'billing-dead-letters',
    'billing-patient-registered-lag',
  ]) {
    assert.ok(names.includes(`pms-${stage.name}-${name}`), name);
  }
}

/** Services, with their tasks, in their network, by their names. */
export async function services(config: ClientConfig, stage: Stage): Promise<void> {
  const ecs = new ECSClient(config);
  const cluster = `pms-${stage.name}`;
  const ids = apps().map((app) => app.id);
  const found = await ecs.send(new DescribeServicesCommand({ cluster, services: [...ids, 'sentry'] }));
  assert.deepEqual(sorted((found.services ?? []).map(({ serviceName }) => serviceName)), sorted([...ids, 'sentry']));
  for (const service of found.services ?? []) {
    const size = service.serviceName === 'sentry' ? stage.authority : stage.services[service.serviceName ?? ''];
    assert.equal(service.desiredCount, size?.min, service.serviceName);
    assert.equal(service.networkConfiguration?.awsvpcConfiguration?.assignPublicIp, 'DISABLED');
    assert.deepEqual(service.deploymentConfiguration?.deploymentCircuitBreaker, { enable: true, rollback: true });
  }
  for (const id of ids) {
    const { taskDefinition } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: `pms-${stage.name}-${id}` }),
    );
    const containers = taskDefinition?.containerDefinitions ?? [];
    assert.deepEqual(sorted(containers.map(({ name }) => name)), sorted([id, 'collector', 'daprd']));
    const daprd = containers.find(({ name }) => name === 'daprd');
    assert.ok(daprd?.command?.includes(`/dapr/config/${id}.yaml`) && daprd.command.includes('--enable-mtls'));
    assert.match(daprd?.image ?? '', /\/pms\/daprd:1\.0\.0$/);
  }
  const discovery = new ServiceDiscoveryClient(config);
  const { Namespaces } = await discovery.send(new ListNamespacesCommand({}));
  assert.deepEqual(sorted((Namespaces ?? []).map(({ Name }) => Name)), [`${stage.name}.pms.internal`]);
  const { Services } = await discovery.send(new ListServicesCommand({}));
  assert.deepEqual(sorted((Services ?? []).map(({ Name }) => Name)), sorted([...ids, 'sentry']));
}

/** Databases and the broker. */
export async function data(config: ClientConfig, stage: Stage): Promise<void> {
  const { DBInstances = [] } = await new RDSClient(config).send(new DescribeDBInstancesCommand({}));
  const owners = apps().filter((app) => app.hasDatabase);
  assert.deepEqual(
    sorted(DBInstances.map(({ DBInstanceIdentifier }) => DBInstanceIdentifier)),
    sorted(owners.map((app) => `pms-${stage.name}-${app.id}`)),
  );
  for (const database of DBInstances) {
    assert.equal(database.StorageEncrypted, true);
    assert.equal(database.Engine, 'postgres');
    assert.equal(database.MultiAZ, stage.keeps);
  }
  const { ClusterInfoList = [] } = await new KafkaClient(config).send(new ListClustersCommand({}));
  assert.deepEqual(
    ClusterInfoList.map(({ ClusterName, NumberOfBrokerNodes }) => [ClusterName, NumberOfBrokerNodes]),
    [[`pms-${stage.name}`, stage.zones]],
  );
}

/** The public door, with TLS. */
export async function door(config: ClientConfig): Promise<void> {
  const client = new ElasticLoadBalancingV2Client(config);
  const { LoadBalancers = [] } = await client.send(new DescribeLoadBalancersCommand({}));
  assert.equal(LoadBalancers.length, 1);
  const { Listeners = [] } = await client.send(
    new DescribeListenersCommand({ LoadBalancerArn: LoadBalancers[0]?.LoadBalancerArn }),
  );
  assert.deepEqual(sorted(Listeners.map(({ Protocol, Port }) => `${Protocol} ${Port}`)), ['HTTP 80', 'HTTPS 443']);
}

/**
 * The tasks that prepare databases are started in their network, one for each. No container runs here, so they are
 * ended from outside, which the emulator takes for an end without an error.
 */
export async function migrations(config: ClientConfig, stage: Stage): Promise<void> {
  const client = new ECSClient(config);
  const place = await placeOf(new CloudFormationClient(config), stage);
  const owners = apps().filter((app) => app.hasDatabase);
  const running = migrate(
    client,
    stage,
    owners.map((app) => app.id),
    place,
    { every: 100, most: 20_000 },
  ).then(
    () => 'prepared',
    (error: unknown) => String(error),
  );
  let tasks: string[] = [];
  for (let attempt = 0; attempt < 50 && tasks.length < owners.length; attempt += 1) {
    await sleep(100);
    const listed = await Promise.all(
      owners.map((app) =>
        client.send(new ListTasksCommand({ cluster: place.cluster, family: `pms-${stage.name}-migrate-${app.id}` })),
      ),
    );
    tasks = listed.flatMap(({ taskArns = [] }) => taskArns);
  }
  assert.equal(tasks.length, owners.length);
  for (const task of tasks)
    await client.send(new StopTaskCommand({ cluster: place.cluster, task, reason: 'ended by the test' }));
  assert.equal(await running, 'prepared');
}

/** Nothing is left of services and data. */
export async function nothing(config: ClientConfig, stage: Stage): Promise<void> {
  const { services = [] } = await new ECSClient(config)
    .send(new DescribeServicesCommand({ cluster: `pms-${stage.name}`, services: apps().map((app) => app.id) }))
    .catch((error: Error) => {
      if (error.name !== 'ClusterNotFoundException') throw error;
      return { services: [] };
    });
  assert.deepEqual(
    services.filter(({ status }) => status === 'ACTIVE'),
    [],
  );
  const { DBInstances = [] } = await new RDSClient(config).send(new DescribeDBInstancesCommand({}));
  assert.deepEqual(DBInstances, []);
}
