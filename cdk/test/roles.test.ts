/** A role may do what its task has to, and nothing else. */
import { expect, test } from 'vitest';
import { apps, topics } from '../lib/repository.js';
import { type Resource, resources, synthesised, text } from './system.js';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

const { templates } = synthesised();

/** What the policies of roles say whose ids match. */
function statements(role: RegExp): Statement[] {
  return Object.values(resources(templates.services, 'AWS::IAM::Policy'))
    .filter(({ Properties }: Resource) => role.test(text(Properties['Roles'])))
    .flatMap(({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement);
}

const actions = ({ Action }: Statement) => [Action].flat();
const list = (resource: unknown) => [resource].flat();

test('no action is a pattern, and only two things are done to everything', () => {
  const all = [...statements(/./)];
  for (const template of [templates.platform, templates.data, templates.network]) {
    for (const { Properties } of Object.values(resources(template, 'AWS::IAM::Policy'))) {
      all.push(...(Properties['PolicyDocument'] as { Statement: Statement[] }).Statement);
    }
  }
  expect(all.length).toBeGreaterThan(40);
  expect(all.flatMap(actions).filter((action) => action.includes('*'))).toEqual([]);
  const toEverything = all.filter((statement) => list(statement.Resource).includes('*')).flatMap(actions);
  expect(new Set(toEverything)).toEqual(
    new Set(['ecr:GetAuthorizationToken', 'xray:PutTraceSegments', 'xray:PutTelemetryRecords']),
  );
});

test.each(apps())('the tasks of $id write and read the topics of the matrix', (app) => {
  const granted = (action: string) =>
    statements(new RegExp(`App${app.id}TaskTaskRole`))
      .filter((statement) => actions(statement).includes(`kafka-cluster:${action}`))
      .flatMap((statement) => list(statement.Resource))
      .map(String);
  const topic = (name: string) => `arn:aws:kafka:eu-west-1:123456789012:topic/pms-production/*/${name}`;
  expect(granted('WriteData').sort()).toEqual([...app.publishes].map(topic).sort());
  expect(granted('ReadData').sort()).toEqual([...app.subscribes].map(topic).sort());
  const group = `arn:aws:kafka:eu-west-1:123456789012:group/pms-production/*/${app.id}`;
  expect(granted('AlterGroup')).toEqual(app.subscribes.length > 0 ? [group] : []);
  expect(granted('CreateTopic')).toEqual([]);
});

test.each(apps())('the tasks of $id read the secrets of $id', (app) => {
  const read = statements(new RegExp(`App${app.id}TaskTaskRole`))
    .filter((statement) => actions(statement).includes('secretsmanager:GetSecretValue'))
    .flatMap((statement) => list(statement.Resource));
  const count = app.secrets.length + (app.hasDatabase ? 2 : 0) + (app.hasPubsub ? 1 : 0);
  expect(read.length).toBe(count);
  const outputs = JSON.parse(text(templates.data.findOutputs('*'))) as Record<
    string,
    { Value: unknown; Export?: { Name: string } }
  >;
  const secrets = resources(templates.data, 'AWS::SecretsManager::Secret');
  for (const reference of read) {
    const name = (reference as { 'Fn::ImportValue': string })['Fn::ImportValue'];
    const output = Object.values(outputs).find((output) => output.Export?.Name === name);
    const id = (output?.Value as { Ref: string }).Ref;
    expect(String(secrets[id]?.Properties['Name'])).toMatch(new RegExp(`^pms/production/${app.id}/(?!identity)`));
  }
});

test('a key opens secrets alone, and only by way of Secrets Manager', () => {
  const decrypting = statements(/Task/).filter((statement) => actions(statement).includes('kms:Decrypt'));
  expect(decrypting.length).toBeGreaterThan(5);
  for (const statement of decrypting) {
    expect(statement.Condition).toEqual({
      StringEquals: { 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' },
    });
  }
});

test('the administrator of a database is known to the migration alone', () => {
  expect(text(templates.services.toJSON())).not.toContain('MasterUserSecret');
  const given = Object.values(resources(templates.platform, 'AWS::ECS::TaskDefinition'))
    .filter((task) => text(task).includes('MasterUserSecret'))
    .map(({ Properties }) => Properties['Family'] as string);
  expect(given.sort()).toEqual(
    ['analytics', 'auth', 'billing', 'patient'].map((app) => `pms-production-migrate-${app}`),
  );
});

test('the topics are those of the matrix, and nobody makes others', () => {
  const made = Object.values(resources(templates.data, 'AWS::MSK::Topic')).map(({ Properties }) => ({
    name: Properties['TopicName'] as string,
    partitions: Properties['PartitionCount'] as number,
  }));
  expect(made).toEqual(topics());
  const configuration = Object.values(resources(templates.data, 'AWS::MSK::Configuration'))[0];
  expect(configuration?.Properties['ServerProperties']).toContain('auto.create.topics.enable=false\n');
  const cluster = Object.values(resources(templates.data, 'AWS::MSK::Cluster'))[0];
  expect(cluster?.Properties['ClientAuthentication']).toEqual({
    Sasl: { Iam: { Enabled: true } },
    Unauthenticated: { Enabled: false },
  });
});
