/** Secrets are filled once, by those who are asked for them. */
import { createPrivateKey, createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { apps } from '../lib/repository.js';
import { type GivenValues, type SecretValues, fillSecrets } from '../lib/secrets/fill.js';
import { type Authority, type Identity, makeIdentities } from '../lib/secrets/identities.js';
import { stageNamed } from '../lib/stage.js';

const stage = stageNamed('development');
const given: GivenValues = { administratorEmail: 'admin@clinic.example', brokers: () => Promise.resolve('b-1:9098') };

class Kept implements SecretValues {
  readonly values = new Map<string, string>();
  has(name: string): Promise<boolean> {
    return Promise.resolve(this.values.has(name));
  }
  write(name: string, value: string): Promise<void> {
    this.values.set(name, value);
    return Promise.resolve();
  }
  get(name: string): string {
    return this.values.get(`pms/development/${name}`) ?? '';
  }
}

async function filled(): Promise<Kept> {
  const kept = new Kept();
  await fillSecrets(stage, apps(), kept, given);
  return kept;
}

test('every secret without a value gets one, each app its own', async () => {
  const kept = new Kept();
  const { made } = await fillSecrets(stage, apps(), kept, given);
  const wanted = apps().flatMap((app) => [
    ...app.secrets.map((name) => `${app.id}/${name}`),
    ...(app.hasPubsub ? [`${app.id}/pubsub-brokers`] : []),
    `${app.id}/identity`,
  ]);
  expect([...made].sort()).toEqual([...wanted, 'sentry/authority'].sort());
  expect(new Set(kept.values.values()).size).toBe(kept.values.size - 2); // Three know the same brokers.
  for (const name of ['auth/signing-key', 'auth/audit-key', 'billing/audit-key']) {
    expect(createPrivateKey(kept.get(name)).asymmetricKeyType).toBe('ed25519');
  }
  expect(Buffer.from(kept.get('auth/sealing-key'), 'base64url').length).toBe(32);
  expect(kept.get('auth/administrator-password')).toMatch(/^([a-km-z2-9]{5}-){4}[a-km-z2-9]{5}$/);
});

test('what has a value keeps it, unless it is to be renewed', async () => {
  const kept = await filled();
  const before = new Map(kept.values);
  expect((await fillSecrets(stage, apps(), kept, given)).made).toEqual([]);
  expect(kept.values).toEqual(before);
  const { made } = await fillSecrets(stage, apps(), kept, given, new Set(['auth/sealing-key']));
  expect(made).toEqual(['auth/sealing-key']);
  expect(kept.get('auth/sealing-key')).not.toBe(before.get('pms/development/auth/sealing-key'));
  await expect(fillSecrets(stage, apps(), kept, given, new Set(['auth/sealing']))).rejects.toThrow(
    'no secret auth/sealing',
  );
});

test('an authority without one of its identities is made anew with all of them', async () => {
  const kept = await filled();
  const before = kept.get('billing/identity');
  kept.values.delete('pms/development/patient/identity');
  const { made } = await fillSecrets(stage, apps(), kept, given);
  expect([...made].sort()).toEqual(['sentry/authority', ...apps().map((app) => `${app.id}/identity`)].sort());
  expect(kept.get('billing/identity')).not.toBe(before);
});

test('nobody is made an administrator by default', async () => {
  const { brokers } = given;
  await expect(fillSecrets(stage, apps(), new Kept(), { brokers })).rejects.toThrow('--administrator');
});

test('a token names one app, and only its own authority believes it', () => {
  const { authority, identities } = makeIdentities(['patient', 'billing']);
  const other = makeIdentities(['patient']).authority;
  const token = (identities.get('patient') as Identity).sentryToken;
  const [head = '', claims = '', signature = ''] = token.split('.');
  const believes = ({ jwks }: Authority) => {
    const [key] = (JSON.parse(Buffer.from(jwks, 'base64').toString()) as { keys: JsonWebKey[] }).keys;
    const publicKey = createPublicKey({ key: key ?? {}, format: 'jwk' });
    return verify(null, Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'));
  };
  expect([believes(authority), believes(other)]).toEqual([true, false]);
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    sub: 'spiffe://public/ns/default/patient',
    aud: 'spiffe://localhost/ns/default/dapr-sentry',
  });
  expect(Buffer.from(authority.jwks, 'base64').toString()).not.toContain('"d"');
  expect(identities.get('patient')?.daprApiToken).not.toBe(identities.get('billing')?.daprApiToken);
});
