/** Who may connect to whom. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../lib/repository.js';
import { type Resource, resources, synthesised, text } from './system.js';

const { templates } = synthesised();
const network = templates.network;

/** `auth`, `Database-auth`, `LoadBalancer`, by the group's id in the template. */
const names = new Map(
  Object.entries(resources(network, 'AWS::EC2::SecurityGroup')).map(([id, group]) => [
    id,
    String(group.Properties['GroupDescription']),
  ]),
);

function rules(type: string): { from: string; to: string; port: number }[] {
  const group = (reference: unknown) => {
    const [id] = (reference as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'];
    return names.get(id) ?? id;
  };
  return Object.values(resources(network, type)).map(({ Properties }: Resource) => ({
    from: group(Properties['SourceSecurityGroupId'] ?? Properties['GroupId']),
    to: group(Properties['DestinationSecurityGroupId'] ?? Properties['GroupId']),
    port: Properties['FromPort'] as number,
  }));
}

test('sidecars reach those alone whose apps theirs may call', () => {
  const { calls } = parse(readFileSync(`${ROOT}dapr/access.yaml`, 'utf8')) as {
    calls: Record<string, Record<string, string[]>>;
  };
  const wanted = new Set<string>();
  for (const [callee, operations] of Object.entries(calls)) {
    if (callee === 'clearinghouse') continue;
    for (const caller of Object.values(operations).flat()) wanted.add(`${caller} > ${callee}`);
  }
  const app = (name: string) => name.replace('The tasks of ', '');
  for (const type of ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress']) {
    const found = rules(type).filter(({ port }) => port === 50002);
    expect(new Set(found.map(({ from, to }) => `${app(from)} > ${app(to)}`)), type).toEqual(wanted);
  }
});

test('a database is reached by its app and the migration, the broker by those who publish or subscribe', () => {
  const to = (port: number) =>
    rules('AWS::EC2::SecurityGroupIngress')
      .filter((rule) => rule.port === port)
      .map(({ from, to }) => `${from} > ${to}`)
      .sort();
  const apps = ['analytics', 'auth', 'billing', 'patient'];
  expect(to(5432)).toEqual(
    apps
      .flatMap((app) => [
        `Tasks that prepare databases > The database of ${app}`,
        `The tasks of ${app} > The database of ${app}`,
      ])
      .sort(),
  );
  expect(to(9098)).toEqual(['analytics', 'billing', 'patient'].map((app) => `The tasks of ${app} > Kafka`));
});

test('the internet reaches the load balancer and nothing else', () => {
  const open = Object.entries(resources(network, 'AWS::EC2::SecurityGroup')).filter(([, group]) =>
    text(group.Properties['SecurityGroupIngress'] ?? []).includes('0.0.0.0/0'),
  );
  expect(open.map(([id]) => names.get(id))).toEqual(['The only one that the internet reaches']);
  const ingress = Object.values(resources(network, 'AWS::EC2::SecurityGroupIngress'));
  expect(ingress.filter(({ Properties }) => Properties['CidrIp'] !== undefined)).toEqual([]);
});

test('every group says what it reaches, and none reaches everything', () => {
  for (const [id, { Properties }] of Object.entries(resources(network, 'AWS::EC2::SecurityGroup'))) {
    // One that says nothing is given a way to everywhere.
    const ways = Properties['SecurityGroupEgress'] as
      | { IpProtocol: string; CidrIp: string; FromPort: number }[]
      | undefined;
    expect(ways, id).toHaveLength(1);
    const [way] = ways ?? [];
    expect(way?.IpProtocol === 'tcp' ? way.FromPort : way?.CidrIp, id).toSatisfy(
      (to) => to === 443 || to === '255.255.255.255/32',
    );
  }
});

test('there is no way out but the endpoints', () => {
  network.resourceCountIs('AWS::EC2::NatGateway', 0);
  const routes = Object.values(resources(network, 'AWS::EC2::Route'));
  // One for each public subnet, in which there are load balancers alone.
  expect(routes.length).toBe(3);
  expect(routes.every(({ Properties }) => text(Properties['RouteTableId']).includes('public'))).toBe(true);
  const services = Object.values(resources(network, 'AWS::EC2::VPCEndpoint')).map(({ Properties }) =>
    text(Properties['ServiceName']),
  );
  for (const name of ['ecr.api', 'ecr.dkr', 'logs', 'secretsmanager', 'xray', '.s3']) {
    expect(services.filter((service) => service.includes(name)).length, name).toBe(1);
  }
});
