/**
 * What the sidecars know each other by: a certificate authority, which sentry serves, and for each app a token with
 * which its sidecar, and no other one, gets the certificate of that app.
 */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The trust domain of sentry itself, as every sidecar expects it unless it is told otherwise. */
const TRUST_DOMAIN = 'localhost';

/** The namespace of every app, as in the access policies. */
export const NAMESPACE = 'default';

/** How long the authority is trusted; it is replaced by a run with `--renew`. */
const LIFETIME_DAYS = 1825;

/** What sentry is given, as the fields of a secret. */
export interface Authority {
  readonly ca: string;
  readonly issuer: string;
  readonly issuerKey: string;
  /** Who signs the tokens, as a JWK set in base64, in which form sentry takes it from a setting. */
  readonly jwks: string;
}

/** What an app's task is given, as the fields of a secret. */
export interface Identity {
  readonly trustAnchors: string;
  /** What sentry asks for. */
  readonly sentryToken: string;
  /** What the service shows its sidecar. */
  readonly daprApiToken: string;
  /** What the sidecar shows its service. */
  readonly appApiToken: string;
}

/** Makes an authority, and an identity for each app that only this authority believes. */
export function makeIdentities(apps: readonly string[]): { authority: Authority; identities: Map<string, Identity> } {
  const certificates = makeCertificates();
  const signer = makeTokenSigner();
  const identities = new Map<string, Identity>();
  for (const app of apps) {
    identities.set(app, {
      trustAnchors: certificates.ca,
      sentryToken: signer.token(app),
      daprApiToken: random(),
      appApiToken: random(),
    });
  }
  return { authority: { ...certificates, jwks: signer.jwks }, identities };
}

/** 256 bits as text, in the alphabet that needs no quoting anywhere. */
export function random(): string {
  return randomBytes(32).toString('base64url');
}

function makeTokenSigner() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const kid = randomBytes(8).toString('hex');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    jwks: Buffer.from(JSON.stringify({ keys: [jwk] })).toString('base64'),
    token(app: string): string {
      const head = part({ alg: 'EdDSA', typ: 'JWT', kid });
      const claims = part({
        aud: `spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/dapr-sentry`,
        sub: `spiffe://public/ns/${NAMESPACE}/${app}`,
        iat: Math.floor(Date.now() / 1000),
      });
      return `${head}.${claims}.${sign(null, Buffer.from(`${head}.${claims}`), privateKey).toString('base64url')}`;
    },
  };
}

/** By openssl, which every machine has from which one deploys; the root's key is thrown away. */
function makeCertificates(): { ca: string; issuer: string; issuerKey: string } {
  const folder = mkdtempSync(join(tmpdir(), 'pms-authority-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  try {
    for (const name of ['root', 'issuer']) {
      const made = openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout');
      const key = execFileSync('openssl', ['pkcs8', '-topk8', '-nocrypt'], { input: made });
      writeFileSync(at(`${name}.key`), key, { mode: 0o600 });
    }
    writeFileSync(
      at('openssl.cnf'),
      [
        '[req]',
        'distinguished_name = name',
        'prompt = no',
        '[name]',
        `O = ${TRUST_DOMAIN}`,
        '[root]',
        'basicConstraints = critical, CA:TRUE',
        'keyUsage = critical, digitalSignature, keyCertSign',
        'subjectKeyIdentifier = hash',
        '[issuer]',
        'basicConstraints = critical, CA:TRUE',
        'keyUsage = critical, digitalSignature, keyCertSign, cRLSign',
        'subjectKeyIdentifier = hash',
        'authorityKeyIdentifier = keyid',
        '',
      ].join('\n'),
    );
    const days = ['-days', String(LIFETIME_DAYS)];
    const config = ['-config', 'openssl.cnf'];
    openssl('req', '-new', '-x509', '-key', 'root.key', '-out', 'ca.crt', '-extensions', 'root', ...config, ...days);
    const name = `/O=spiffe:\\/\\/${TRUST_DOMAIN}\\/ns\\/${NAMESPACE}\\/dapr-sentry`;
    openssl('req', '-new', '-key', 'issuer.key', '-out', 'issuer.csr', '-subj', name, ...config);
    openssl(
      ...['x509', '-req', '-in', 'issuer.csr', '-CA', 'ca.crt', '-CAkey', 'root.key', '-CAcreateserial'],
      ...['-out', 'issuer.crt', '-extfile', 'openssl.cnf', '-extensions', 'issuer', ...days],
    );
    const read = (file: string) => readFileSync(at(file), 'utf8');
    return { ca: read('ca.crt'), issuer: read('issuer.crt'), issuerKey: read('issuer.key') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
