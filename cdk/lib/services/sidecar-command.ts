/** daprd's command line: that of the local run, moved to where things are in the image and the network. */
import type { RunFileApp } from '../repository.js';
import * as ports from '../ports.js';

/** Where a folder that `dapr/dapr.yaml` names is in the image; the local ones are beside `dapr/`. */
export function inImage(path: string): string {
  return path
    .replace(/^\.\.\//, '/')
    .replace(/^\/components\/base\//, '/components/aws/')
    .replace(/^\/components\/kafka$/, '/components/aws');
}

/** Laid over an app's own configuration. */
export const NAME_RESOLUTION = '/dapr/aws/name-resolution.yaml';

/** What the CLI says to daprd, and after it what `PMS_DAPRD_ARGS` adds locally. */
export function sidecarCommand(run: RunFileApp, authority: string): string[] {
  const flags: [string, string | number][] = [
    ['--config', inImage(run.configFilePath)],
    ['--config', NAME_RESOLUTION],
    ['--app-protocol', run.appProtocol],
    ['--log-level', 'info'],
    ['--app-max-concurrency', -1],
    ['--app-id', run.appID],
    ['--app-port', ports.APP],
    ['--dapr-http-port', ports.DAPR_HTTP],
    ['--dapr-grpc-port', ports.DAPR_GRPC],
    ['--dapr-internal-grpc-port', ports.DAPR_INTERNAL],
    ['--metrics-port', ports.DAPR_METRICS],
    ...run.resourcesPaths.map((path): [string, string] => ['--resources-path', inImage(path)]),
    ['--app-health-check-path', run.appHealthCheckPath],
    ['--app-health-probe-interval', run.appHealthProbeInterval],
    ['--app-health-probe-timeout', run.appHealthProbeTimeout],
    ['--app-health-threshold', run.appHealthThreshold],
    ['--read-buffer-size', run.readBufferSize],
    ['--dapr-listen-addresses', '127.0.0.1'],
    // Other sidecars come in here, with a certificate.
    ['--dapr-internal-grpc-listen-address', '0.0.0.0'],
    ['--dapr-public-listen-address', '127.0.0.1'],
    ['--metrics-listen-address', '127.0.0.1'],
    ['--sentry-address', authority],
  ];
  return [
    ...flags.flatMap(([flag, value]) => [flag, String(value)]),
    ...(run.enableAppHealthCheck ? ['--enable-app-health-check'] : []),
    '--enable-mtls',
    '--log-as-json',
  ];
}
