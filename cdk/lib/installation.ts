/** What is said when the system is installed, and is of that place alone. */
import type { Node } from 'constructs';
import { apps } from './repository.js';

/** Where and as what it is installed. */
export interface Installation {
  /** The tag of the images, which is the version of the system. */
  readonly imageTag: string;
  /** What people type, such as `clinic.example`. */
  readonly domainName: string;
  /** The certificate for that name, in Certificate Manager. */
  readonly certificateArn: string;
  /** Whose days and hours are counted in, an IANA zone. */
  readonly timeZone: string;
  /** What the books are kept in, ISO 4217. */
  readonly currency: string;
  /**
   * Who is told of alarms, by e-mail.
   *
   * @default - nobody; the topic is there for whoever subscribes
   */
  readonly alarmEmail?: string;
}

/** Reads it from the context: `-c imageTag=1.4.0` and so on. */
export function installation(node: Node): Installation {
  const given = (name: string): string | undefined => node.tryGetContext(name) as string | undefined;
  const missing: string[] = [];
  const required = (name: string): string => {
    const value = given(name);
    if (!value) missing.push(name);
    return value ?? '';
  };
  const zone = apps().find((app) => app.id === 'analytics')?.run.env?.['CLINIC_TIME_ZONE'];
  const alarmEmail = given('alarmEmail');
  const settings: Installation = {
    imageTag: required('imageTag'),
    domainName: required('domainName'),
    certificateArn: required('certificateArn'),
    timeZone: given('timeZone') ?? zone ?? 'UTC',
    currency: given('currency') ?? 'EUR',
    ...(alarmEmail !== undefined && { alarmEmail }),
  };
  if (missing.length > 0) throw new Error(`missing: ${missing.map((name) => `-c ${name}=...`).join(' ')}`);
  if (settings.imageTag === 'latest') throw new Error('imageTag names a version: of `latest` nobody knows what runs');
  return settings;
}
