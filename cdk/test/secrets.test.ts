/** No secret is where people read. */
import { expect, test } from 'vitest';
import { apps } from '../lib/repository.js';
import { PARTS, type Container, containers, resources, synthesised, text } from './system.js';

const { templates } = synthesised();
const tasks = Object.entries(templates).flatMap(([, template]) =>
  Object.values(resources(template, 'AWS::ECS::TaskDefinition')).flatMap(
    ({ Properties }) => Properties['ContainerDefinitions'] as Container[],
  ),
);

/** What a variable is called that holds something secret. */
const SECRET = /TOKEN|PASSWORD|SECRET(?!_PREFIX)|CREDENTIAL|PRIVATE|_KEY$|JWKS|TRUST_ANCHORS|CONNECTION/;

test('what is secret comes to a container out of Secrets Manager', () => {
  expect(tasks.length).toBe(5 * 3 + 1 + 4);
  for (const { Name, Environment = [], Secrets = [] } of tasks) {
    expect(
      Environment.map((variable) => variable.Name).filter((name) => SECRET.test(name)),
      Name,
    ).toEqual([]);
    for (const { ValueFrom } of Secrets) expect(text(ValueFrom), Name).toMatch(/Secret|Administrator/);
  }
  const daprd = containers(templates.services, 'patient')
    ['daprd']?.Secrets?.map(({ Name }) => Name)
    .sort();
  expect(daprd).toEqual(['APP_API_TOKEN', 'DAPR_API_TOKEN', 'DAPR_TRUST_ANCHORS', 'PMS_SENTRY_TOKEN']);
});

test('no template has the value of a secret, and none is given one by whoever deploys', () => {
  for (const part of PARTS) {
    const template = text(templates[part].toJSON());
    for (const word of [
      '"SecretString"',
      '"MasterUserPassword"',
      'NoEcho',
      '{{resolve:',
      'BEGIN PRIVATE',
      'BEGIN CERT',
    ]) {
      expect(template, `${part}: ${word}`).not.toContain(word);
    }
  }
  for (const secret of Object.values(resources(templates.data, 'AWS::SecretsManager::Secret'))) {
    const generated = secret.Properties['GenerateSecretString'] as { GenerateStringKey: string } | undefined;
    // What stands in a connection string must need no quotes there.
    if (generated) expect(generated).toMatchObject({ GenerateStringKey: 'password', ExcludePunctuation: true });
    expect(secret.Properties['KmsKeyId'], String(secret.Properties['Name'])).toBeDefined();
  }
});

test('every name that an app or a component asks for is a secret of that app', () => {
  const names = Object.values(resources(templates.data, 'AWS::SecretsManager::Secret')).map(({ Properties }) =>
    String(Properties['Name']),
  );
  const wanted = apps().flatMap((app) =>
    [
      ...app.secrets,
      ...(app.hasDatabase ? ['statestore-connection', 'functions-connection'] : []),
      ...(app.hasPubsub ? ['pubsub-brokers'] : []),
      'identity',
    ].map((name) => `pms/production/${app.id}/${name}`),
  );
  expect(names.sort()).toEqual([...wanted, 'pms/production/sentry/authority'].sort());
});

test('a container is nobody, and can write and add nothing', () => {
  for (const container of tasks) {
    expect(container['ReadonlyRootFilesystem'], container.Name).toBe(true);
    expect(container['User'], container.Name).toBe('65532:65532');
    expect(container['Privileged'], container.Name).toBe(false);
    expect(text(container['LinuxParameters']), container.Name).toContain('"Drop":["ALL"]');
  }
});
