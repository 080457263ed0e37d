/** Names that more than one part has to know. */
import type { Stage } from './stage.js';

/** Container images: one repository for each, with this name. */
export const IMAGES = {
  sidecar: 'pms/daprd',
  authority: 'pms/sentry',
  migrate: 'pms/migrate',
  collector: 'pms/collector',
  app: (id: string) => `pms/${id}`,
};

/** What the collector's image is tagged with: its publisher's version. */
export const COLLECTOR_TAG = 'v0.43.3';

/** Where sidecars find each other: `<app id>.<stage>.pms.internal`. */
export const domain = (stage: Stage) => `${stage.name}.pms.internal`;

/** What the sidecar puts before the name of a secret that its app or a component asks for. */
export const secretPrefix = (stage: Stage, owner: string) => `pms/${stage.name}/${owner}/`;

/** The Kafka cluster. */
export const clusterName = (stage: Stage) => `pms-${stage.name}`;

/** Where the metrics of services are. */
export const metricNamespace = (stage: Stage) => `PMS/${stage.name}`;

/** The fields of the secret with an app's connection that a component reads. */
export const CONNECTION_FIELDS = { connection: 'connection', password: 'password' } as const;

/** The secret of what an app and its sidecar know each other by. */
export const IDENTITY = 'identity';

/** The secret of sentry's certificates. */
export const AUTHORITY = 'authority';
