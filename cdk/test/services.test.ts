/** How services start, end, grow and are reached. */
import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { apps } from '../lib/repository.js';
import { stageNamed } from '../lib/stage.js';
import { containers, resources, synthesised, text } from './system.js';

const { templates } = synthesised();
const services = templates.services;

test('a deployment that does not come up is taken back, and takes nobody away before', () => {
  const found = Object.values(resources(services, 'AWS::ECS::Service'));
  expect(found.map(({ Properties }) => Properties['ServiceName'] as string).sort()).toEqual(
    ['sentry', ...apps().map((app) => app.id)].sort(),
  );
  for (const { Properties } of found) {
    expect(Properties['DeploymentConfiguration']).toMatchObject({
      DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      MinimumHealthyPercent: 100,
    });
    expect(Properties['NetworkConfiguration']).toMatchObject({ AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } });
    expect(Properties['EnableExecuteCommand']).not.toBe(true);
  }
});

test('a sidecar is there before its service, and after it', () => {
  for (const { id } of apps()) {
    const task = containers(services, id);
    expect(Object.keys(task).sort()).toEqual([id, 'collector', 'daprd'].sort());
    expect(task[id]?.DependsOn).toEqual([{ ContainerName: 'daprd', Condition: 'HEALTHY' }]);
    expect(task['daprd']?.DependsOn).toEqual([{ ContainerName: 'collector', Condition: 'START' }]);
    expect([task[id]?.['Essential'], task['daprd']?.['Essential'], task['collector']?.['Essential']]).toEqual([
      true,
      true,
      false,
    ]);
  }
});

test('what hangs is replaced: every container but the collector is asked whether it is well', () => {
  const probe = (family: string, name: string) =>
    (containers(services, family)[name]?.['HealthCheck'] as { Command: string[] } | undefined)?.Command;
  for (const { id } of apps()) {
    expect(probe(id, id)).toEqual(['CMD', '/entrypoint', 'probe', 'http://127.0.0.1:3000/livez']);
    expect(probe(id, 'daprd')?.at(-1)).toBe('http://127.0.0.1:3500/v1.0/healthz/outbound');
  }
  expect(probe('sentry', 'sentry')?.at(-1)).toBe('http://127.0.0.1:8080/healthz');
});

test('images are of the version that is installed', () => {
  const images = Object.values(resources(services, 'AWS::ECS::TaskDefinition')).flatMap(({ Properties }) =>
    (Properties['ContainerDefinitions'] as { Name: string; Image: unknown }[]).map(({ Name, Image }) => [
      Name,
      text(Image),
    ]),
  );
  for (const [name, image] of images)
    expect(image, name).toMatch(name === 'collector' ? /:v0\.\d+\.\d+"/ : /:1\.0\.0"/);
  for (const { Properties } of Object.values(resources(templates.platform, 'AWS::ECR::Repository'))) {
    expect(Properties['ImageTagMutability']).toBe('IMMUTABLE');
  }
});

test('there are as many tasks as the load asks for, within the sizes of the stage', () => {
  const targets = Object.values(resources(services, 'AWS::ApplicationAutoScaling::ScalableTarget'));
  const sizes = stageNamed('production').services;
  expect(targets.map(({ Properties }) => [Properties['MinCapacity'], Properties['MaxCapacity']] as unknown)).toEqual(
    apps().map((app) => [sizes[app.id]?.min, sizes[app.id]?.max]),
  );
});

test('the public comes in by TLS, behind the firewall, to the gateway', () => {
  services.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
    Port: 443,
    Protocol: 'HTTPS',
    Certificates: [{ CertificateArn: Match.stringLikeRegexp('^arn:aws:acm:') }],
    SslPolicy: Match.stringLikeRegexp('TLS13'),
    DefaultActions: [Match.objectLike({ Type: 'forward' })],
  });
  services.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
    Port: 80,
    DefaultActions: [
      { Type: 'redirect', RedirectConfig: Match.objectLike({ Protocol: 'HTTPS', StatusCode: 'HTTP_301' }) },
    ],
  });
  services.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 2);
  services.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
    HealthCheckPath: '/readyz',
    Port: 8000,
  });
  const balanced = Object.values(resources(services, 'AWS::ECS::Service')).filter(
    ({ Properties }) => Properties['LoadBalancers'] !== undefined,
  );
  expect(balanced.map(({ Properties }) => Properties['LoadBalancers'] as unknown)).toEqual([
    [expect.objectContaining({ ContainerName: 'gateway', ContainerPort: 8000 })],
  ]);
  services.resourceCountIs('AWS::WAFv2::WebACLAssociation', 1);
});

test('nobody whom somebody searched for is in a log of the door', () => {
  services.hasResourceProperties('AWS::WAFv2::LoggingConfiguration', {
    RedactedFields: Match.arrayWith([{ QueryString: {} }]),
  });
  expect(text(resources(services, 'AWS::ElasticLoadBalancingV2::LoadBalancer'))).not.toContain(
    '{"Key":"access_logs.s3.enabled","Value":"true"}',
  );
  expect(text(resources(services, 'AWS::WAFv2::WebACL'))).not.toContain('"SampledRequestsEnabled":true');
});
