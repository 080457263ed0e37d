/** What differs between two installations of the system: how much of everything, and how carefully it is kept. */

/** How many tasks of an app there are, and how large they are. */
export interface ServiceSize {
  /** In CPU units, 1024 to a core: all containers of a task together. */
  readonly cpu: number;
  /** In MiB, for all containers of a task together. */
  readonly memory: number;
  /** Tasks at rest. */
  readonly min: number;
  /** Tasks under the highest load. */
  readonly max: number;
}

/** The server of one app's database. */
export interface DatabaseSize {
  /** Without the leading `db.`. */
  readonly instanceType: string;
  /** GiB at first, and at most, after it has grown by itself. */
  readonly storage: readonly [number, number];
}

/** The brokers of the cluster, one in each availability zone. */
export interface BrokerSize {
  readonly instanceType: string;
  /** GiB of each broker. */
  readonly storage: number;
}

/** An installation. */
export interface Stage {
  /** Part of every name, and the tag `stage` of everything. */
  readonly name: string;
  /** Whether what it holds must outlive a mistake: deletion is refused, data is retained, databases have a standby. */
  readonly keeps: boolean;
  /** The addresses of its network. */
  readonly cidr: string;
  /** How many availability zones it is spread over, which is also the number of brokers. */
  readonly zones: number;
  readonly logDays: number;
  readonly backupDays: number;
  readonly brokers: BrokerSize;
  readonly databases: Readonly<Record<string, DatabaseSize>>;
  readonly services: Readonly<Record<string, ServiceSize>>;
  /** Sentry, which has little to do. */
  readonly authority: ServiceSize;
}

const production: Stage = {
  name: 'production',
  keeps: true,
  cidr: '10.40.0.0/16',
  zones: 3,
  logDays: 365,
  backupDays: 35,
  brokers: { instanceType: 'kafka.m7g.large', storage: 250 },
  databases: {
    auth: { instanceType: 't4g.medium', storage: [20, 100] },
    patient: { instanceType: 'm7g.large', storage: [100, 1000] },
    billing: { instanceType: 'm7g.large', storage: [100, 1000] },
    analytics: { instanceType: 'm7g.large', storage: [100, 1000] },
  },
  services: {
    auth: { cpu: 512, memory: 1024, min: 2, max: 6 },
    patient: { cpu: 1024, memory: 2048, min: 2, max: 10 },
    billing: { cpu: 1024, memory: 2048, min: 2, max: 10 },
    analytics: { cpu: 512, memory: 1024, min: 2, max: 4 },
    gateway: { cpu: 512, memory: 1024, min: 2, max: 10 },
  },
  authority: { cpu: 256, memory: 512, min: 2, max: 2 },
};

const small: DatabaseSize = { instanceType: 't4g.micro', storage: [20, 50] };
const one: ServiceSize = { cpu: 256, memory: 512, min: 1, max: 2 };

const development: Stage = {
  name: 'development',
  keeps: false,
  cidr: '10.41.0.0/16',
  zones: 2,
  logDays: 7,
  backupDays: 1,
  brokers: { instanceType: 'kafka.t3.small', storage: 20 },
  databases: { auth: small, patient: small, billing: small, analytics: small },
  services: {
    // A password's hash takes 19 MiB, and four of them may be under way.
    auth: { ...one, memory: 1024 },
    patient: one,
    billing: one,
    analytics: one,
    gateway: one,
  },
  authority: { ...one, max: 1 },
};

const STAGES: readonly Stage[] = [production, development];

/** The stage with this name. */
export function stageNamed(name: string): Stage {
  const found = STAGES.find((stage) => stage.name === name);
  if (!found) throw new Error(`there is no stage ${name}, but ${STAGES.map((stage) => stage.name).join(' and ')}`);
  return found;
}
