/** The variables of a service: those of the run file, and what is of the place. */
import type { Installation } from '../installation.js';
import * as ports from '../ports.js';
import type { AppDefinition } from '../repository.js';

/** What `dapr/dapr.yaml` says for a machine on which things are tried out, and what is not so here. */
const OF_ANOTHER_PLACE = ['PUBLIC_ADDRESS', 'WEB_DIRECTORY', 'MFA_REQUIRED', 'CLINIC_TIME_ZONE'];

/** What is said here instead, or besides. */
function ofThisPlace(app: string, { timeZone, currency }: Installation): Record<string, string> {
  switch (app) {
    case 'gateway':
      return {
        PUBLIC_ADDRESS: `0.0.0.0:${ports.PUBLIC}`,
        // The load balancer.
        TRUSTED_PROXIES: '1',
        WEB_DIRECTORY: '/web',
      };
    case 'billing':
      return { BOOKS_TIME_ZONE: timeZone, BOOKS_CURRENCY: currency };
    case 'analytics':
      return { CLINIC_TIME_ZONE: timeZone };
    default:
      return {};
  }
}

/** All of them, but those that are secret. */
export function environmentOf(app: AppDefinition, installation: Installation): Record<string, string> {
  const local = Object.entries(app.run.env ?? {}).filter(([name]) => !OF_ANOTHER_PLACE.includes(name));
  return {
    APP_ID: app.id,
    APP_PORT: String(ports.APP),
    APP_PROTOCOL: app.run.appProtocol,
    DAPR_HTTP_PORT: String(ports.DAPR_HTTP),
    DAPR_GRPC_PORT: String(ports.DAPR_GRPC),
    DAPR_METRICS_PORT: String(ports.DAPR_METRICS),
    LOG_LEVEL: 'info',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${ports.COLLECTOR}`,
    // Each minute by itself: the highest value since the start would never fall, and no alarm would end.
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.05',
    ...Object.fromEntries(local),
    ...ofThisPlace(app.id, installation),
  };
}
