/** Gives secrets that CloudFormation made without a value one: keys, certificates, and where the broker is. */
import { generateKeyPairSync, randomInt } from 'node:crypto';
import { AUTHORITY, IDENTITY, secretPrefix } from '../names.js';
import type { AppDefinition } from '../repository.js';
import type { Stage } from '../stage.js';
import { makeIdentities, random } from './identities.js';

/** Where secrets are kept. */
export interface SecretValues {
  /** Whether the secret, which has to be there, has a value. */
  has(name: string): Promise<boolean>;
  write(name: string, value: string): Promise<void>;
}

/** What cannot be made up. */
export interface GivenValues {
  /** Who may sign in at first. */
  readonly administratorEmail?: string;
  /** Where the brokers are, with TLS and IAM. */
  readonly brokers: () => Promise<string>;
}

/** What was done; no value is in it. */
export interface Filled {
  readonly made: readonly string[];
  readonly kept: readonly string[];
}

/** No letter or digit that is mistaken for another. */
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789';

/** What is behind the names by which apps ask for secrets (`dapr/access.yaml`). */
const MAKERS: Readonly<Record<string, (given: GivenValues) => string | Promise<string>>> = {
  'signing-key': privateKey,
  'audit-key': privateKey,
  'sealing-key': random,
  'administrator-password': readable,
  'administrator-email': ({ administratorEmail }) => {
    if (!administratorEmail) throw new Error('who may sign in at first? --administrator name@clinic.example');
    return administratorEmail;
  },
  'pubsub-brokers': ({ brokers }) => brokers(),
};

/**
 * Fills every secret of the apps that has no value, and those that are to be renewed: `authority` for certificates and
 * identities, which are one, or a whole name such as `auth/sealing-key`.
 */
export async function fillSecrets(
  stage: Stage,
  apps: readonly AppDefinition[],
  values: SecretValues,
  given: GivenValues,
  renew: ReadonlySet<string> = new Set(),
): Promise<Filled> {
  const made: string[] = [];
  const kept: string[] = [];
  const write = async (owner: string, name: string, value: string) => {
    await values.write(secretPrefix(stage, owner) + name, value);
    made.push(`${owner}/${name}`);
  };
  const wanted = apps.flatMap((app) =>
    [...app.secrets, ...(app.hasPubsub ? ['pubsub-brokers'] : [])].map((name) => ({ owner: app.id, name })),
  );
  const known = new Set([AUTHORITY, ...wanted.map(({ owner, name }) => `${owner}/${name}`)]);
  for (const name of renew) if (!known.has(name)) throw new Error(`there is no secret ${name} to renew`);
  for (const { owner, name } of wanted) {
    if (!renew.has(`${owner}/${name}`) && (await values.has(secretPrefix(stage, owner) + name))) {
      kept.push(`${owner}/${name}`);
      continue;
    }
    const make = MAKERS[name];
    if (!make) throw new Error(`nobody knows how to make ${owner}/${name}`);
    await write(owner, name, await make(given));
  }
  // One without the others is of no use: an authority believes the tokens that were made with it alone.
  const together = [['sentry', AUTHORITY], ...apps.map((app) => [app.id, IDENTITY])] as [string, string][];
  const there = await Promise.all(together.map(([owner, name]) => values.has(secretPrefix(stage, owner) + name)));
  if (there.every(Boolean) && !renew.has(AUTHORITY)) {
    kept.push(...together.map(([owner, name]) => `${owner}/${name}`));
  } else {
    const { authority, identities } = makeIdentities(apps.map((app) => app.id));
    await write('sentry', AUTHORITY, JSON.stringify(authority));
    for (const [app, identity] of identities) await write(app, IDENTITY, JSON.stringify(identity));
  }
  return { made, kept };
}

/** In the form of PKCS#8 that has no public key in it, which every reader takes. */
function privateKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** Five groups of five: 125 bits that a person can copy. */
function readable(): string {
  const group = () => Array.from({ length: 5 }, () => READABLE[randomInt(READABLE.length)]).join('');
  return Array.from({ length: 5 }, group).join('-');
}
