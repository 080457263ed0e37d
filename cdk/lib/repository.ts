/** The files of the repository that say what the system is made of; the cloud is built of the same. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A YAML file of the repository. */
export function readYaml<T>(path: string): T {
  return parse(readFileSync(ROOT + path, 'utf8')) as T;
}

/** An app as `dapr/dapr.yaml` starts it, with what is said there for all. */
export interface RunFileApp {
  readonly appID: string;
  readonly appProtocol: string;
  readonly enableAppHealthCheck: boolean;
  readonly appHealthCheckPath: string;
  readonly appHealthProbeInterval: number;
  readonly appHealthProbeTimeout: number;
  readonly appHealthThreshold: number;
  readonly readBufferSize: string;
  readonly configFilePath: string;
  readonly resourcesPaths: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface RunFile {
  readonly common: Partial<RunFileApp>;
  readonly apps: readonly RunFileApp[];
}

interface Matrix {
  readonly apps: Readonly<
    Record<string, { readonly components?: string[]; readonly secrets?: string[]; readonly outside?: boolean }>
  >;
  readonly calls: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions?: number;
    readonly publish: readonly string[];
    readonly subscribe: readonly string[];
  }[];
}

/** Something that is published, with the number of its partitions. */
export interface Topic {
  readonly name: string;
  readonly partitions: number;
}

/** An app of the system: how it is started, and what the matrix allows it. */
export interface AppDefinition {
  readonly id: string;
  readonly run: RunFileApp;
  readonly publishes: readonly string[];
  readonly subscribes: readonly string[];
  /** Whom it calls, by app id. */
  readonly callees: readonly string[];
  /** The secrets that its code may ask for. */
  readonly secrets: readonly string[];
  /** Whether it keeps documents. */
  readonly hasDatabase: boolean;
  /** Whether it publishes or subscribes. */
  readonly hasPubsub: boolean;
}

/** As `dapr/access.yaml` says of topics that say nothing themselves. */
const PARTITIONS = 4;

/** Every topic. */
export function topics(): readonly Topic[] {
  return matrix().topics.map(({ name, partitions = PARTITIONS }) => ({ name, partitions }));
}

/** Every app of the system, in the order of the run file. */
export function apps(): readonly AppDefinition[] {
  const { common, apps: entries } = readYaml<RunFile>('dapr/dapr.yaml');
  const { apps: known, calls, topics: published } = matrix();
  return entries.map((entry) => {
    const run = { ...common, ...entry, env: { ...common.env, ...entry.env } } as RunFileApp;
    const id = run.appID;
    const topicsOf = (side: 'publish' | 'subscribe') =>
      published.filter((topic) => topic[side].includes(id)).map((topic) => topic.name);
    const publishes = topicsOf('publish');
    const subscribes = topicsOf('subscribe');
    const inside = Object.entries(calls).filter(([callee]) => !known[callee]?.outside);
    const callees = inside.filter(([, operations]) => Object.values(operations).some((by) => by.includes(id)));
    return {
      id,
      run,
      publishes,
      subscribes,
      callees: callees.map(([callee]) => callee),
      secrets: known[id]?.secrets ?? [],
      hasDatabase: known[id]?.components?.includes('statestore') ?? false,
      hasPubsub: publishes.length + subscribes.length > 0,
    };
  });
}

function matrix(): Matrix {
  return readYaml<Matrix>('dapr/access.yaml');
}
