/** The sidecars are those of the local run. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { RDS_CERTIFICATES } from '../lib/data/service-database.js';
import { ROOT } from '../lib/repository.js';
import { containers, synthesised } from './system.js';

const { templates } = synthesised();
const runFile = parse(readFileSync(`${ROOT}dapr/dapr.yaml`, 'utf8')) as {
  common: Record<string, unknown>;
  apps: Record<string, unknown>[];
};
const local = runFile.apps.map((app): Record<string, unknown> => ({ ...runFile.common, ...app }));

/** What another place has to say otherwise, and what it says. */
const OF_THE_PLACE: Record<string, string[]> = {
  '--app-port': ['3000'],
  '--dapr-http-port': ['3500'],
  '--dapr-grpc-port': ['50001'],
  '--dapr-internal-grpc-port': ['50002'],
  '--metrics-port': ['9090'],
  '--dapr-internal-grpc-listen-address': ['0.0.0.0'],
  '--sentry-address': ['sentry.production.pms.internal:50001'],
};

/** The flags of a command line with their values. */
function flags(command: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  command.forEach((word, index) => {
    if (!word.startsWith('--')) return;
    const next = command[index + 1];
    const values = (found[word] ??= []);
    if (next !== undefined && !next.startsWith('--')) values.push(next);
  });
  return found;
}

/** Every flag that the local run gives to daprd: the CLI's, and those that the set-up adds. */
function localFlags(): Set<string> {
  const said = (path: string, from: string, to: string) => {
    const source = readFileSync(ROOT + path, 'utf8');
    const part = source.slice(source.indexOf(from), source.indexOf(to, source.indexOf(from)));
    return part.match(/--[a-z][a-z-]+/g) ?? [];
  };
  return new Set([
    ...said('tools/local/src/run_file.rs', 'fn sidecar(', '#[cfg(test)]'),
    ...said('tools/local/src/dapr.rs', 'fn sidecar_arguments(', 'fn rendered('),
  ]);
}

test.each(local)('the sidecar of $appID has the arguments of the local one', (app) => {
  const daprd = containers(templates.services, String(app['appID']))['daprd'];
  expect(daprd?.EntryPoint).toEqual(['/daprd']);
  const given = flags(daprd?.Command ?? []);
  expect(new Set(Object.keys(given))).toEqual(localFlags());
  const resourcesPaths = (app['resourcesPaths'] as string[]).map((path) =>
    path
      .replace('../components/base/', '/components/aws/')
      .replace('../components/kafka', '/components/aws')
      .replace('..', ''),
  );
  expect(given).toEqual({
    '--config': [String(app['configFilePath']).replace('..', ''), '/dapr/aws/name-resolution.yaml'],
    '--app-protocol': [app['appProtocol']],
    '--log-level': ['info'],
    '--app-max-concurrency': ['-1'],
    '--app-id': [app['appID']],
    '--resources-path': resourcesPaths,
    '--app-health-check-path': [app['appHealthCheckPath']],
    '--app-health-probe-interval': [String(app['appHealthProbeInterval'])],
    '--app-health-probe-timeout': [String(app['appHealthProbeTimeout'])],
    '--app-health-threshold': [String(app['appHealthThreshold'])],
    '--read-buffer-size': [app['readBufferSize']],
    '--dapr-listen-addresses': ['127.0.0.1'],
    '--dapr-public-listen-address': ['127.0.0.1'],
    '--metrics-listen-address': ['127.0.0.1'],
    '--enable-app-health-check': [],
    '--enable-mtls': [],
    '--log-as-json': [],
    ...OF_THE_PLACE,
  });
});

test.each(local)('$appID has the components here that it has locally', (app) => {
  const id = String(app['appID']);
  const named = (folder: string) =>
    existsSync(ROOT + folder)
      ? readdirSync(ROOT + folder)
          .filter((file) => file.endsWith('.yaml'))
          .map(
            (file) =>
              (parse(readFileSync(`${ROOT}${folder}/${file}`, 'utf8')) as { metadata: { name: string } }).metadata.name,
          )
          .sort()
      : [];
  const paths = app['resourcesPaths'] as string[];
  const locally = paths.filter((path) => path.startsWith('../components/')).flatMap((path) => named(path.slice(3)));
  const command = containers(templates.services, id)['daprd']?.Command ?? [];
  const here = (flags(command)['--resources-path'] ?? []).filter((path) => path.startsWith('/components/'));
  expect(here.flatMap((path) => named(path.slice(1)))).toEqual(locally);
});

test('a service has the variables of the local one, but for those of the place', () => {
  const ofThePlace = ['PUBLIC_ADDRESS', 'WEB_DIRECTORY', 'MFA_REQUIRED', 'CLINIC_TIME_ZONE'];
  for (const app of local) {
    const id = String(app['appID']);
    const given = Object.fromEntries(
      (containers(templates.services, id)[id]?.Environment ?? []).map(({ Name, Value }) => [Name, Value]),
    );
    for (const [name, value] of Object.entries((app['env'] ?? {}) as Record<string, string>)) {
      if (ofThePlace.includes(name)) continue;
      expect(given[name], `${id} ${name}`).toBe(value);
    }
    expect(given['MFA_REQUIRED'], 'a second factor is asked for').toBeUndefined();
  }
  const gateway = containers(templates.services, 'gateway')['gateway']?.Environment;
  expect(gateway).toContainEqual({ Name: 'TRUSTED_PROXIES', Value: '1' });
});

test('a name in DNS is an app id, and sidecars ask for it at the port at which they listen', () => {
  const configuration = parse(readFileSync(`${ROOT}dapr/aws/name-resolution.yaml`, 'utf8')) as {
    spec: { nameResolution: { configuration: { port: number } } };
  };
  expect(OF_THE_PLACE['--dapr-internal-grpc-port']).toEqual([
    String(configuration.spec.nameResolution.configuration.port),
  ]);
  const names = Object.values(templates.services.findResources('AWS::ServiceDiscovery::Service')).map(
    (service) => (service as { Properties: { Name: string } }).Properties.Name,
  );
  expect(names.sort()).toEqual(['sentry', ...local.map((app) => String(app['appID']))].sort());
});

test('what a command names is in the image', () => {
  const dockerfile = readFileSync(`${ROOT}cdk/Dockerfile`, 'utf8');
  const copied = [...dockerfile.matchAll(/^(?:COPY|ADD --chmod=0444) (\S+) (\S+)$/gm)].map(
    ([, from = '', to = '']) => ({ from, to }),
  );
  for (const { from } of copied.filter(({ from }) => !from.startsWith('https://'))) {
    expect(existsSync(ROOT + from), from).toBe(true);
  }
  const paths = local.flatMap((app) =>
    (containers(templates.services, String(app['appID']))['daprd']?.Command ?? []).filter((word) =>
      word.startsWith('/'),
    ),
  );
  paths.push(
    ...(containers(templates.services, 'sentry')['sentry']?.Command ?? []).filter((word) => word.startsWith('/')),
  );
  for (const path of new Set(paths.filter((path) => path !== '/livez'))) {
    const there = copied.some(({ to }) => path === to || path.startsWith(`${to}/`) || to.startsWith(`${path}/`));
    expect(there, path).toBe(true);
  }
  expect(copied.map(({ to }) => to)).toContain(RDS_CERTIFICATES);
});
