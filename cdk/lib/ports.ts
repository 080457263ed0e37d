/** Ports. Every task has an address of its own, so they are the same for all apps. */

/** Where the sidecar calls the app, on loopback. */
export const APP = 3000;
/** Where the gateway serves the public, behind the load balancer. */
export const PUBLIC = 8000;
/** The sidecar's HTTP API, on loopback. */
export const DAPR_HTTP = 3500;
/** The sidecar's gRPC API, on loopback. */
export const DAPR_GRPC = 50001;
/** Where sidecars call each other, as `dapr/aws/name-resolution.yaml` says. */
export const DAPR_INTERNAL = 50002;
/** The sidecar's metrics, on loopback. */
export const DAPR_METRICS = 9090;
/** Sentry. */
export const AUTHORITY = 50001;
/** The collector, on loopback. */
export const COLLECTOR = 4317;
/** PostgreSQL. */
export const DATABASE = 5432;
/** Kafka with TLS and IAM. */
export const BROKER = 9098;
