import { Duration, Stack } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { AUTHORITY, IDENTITY, secretPrefix } from '../names.js';
import type { NetworkStack } from '../network/network-stack.js';
import { type PmsStackProps, removal } from '../pms-stack.js';
import { topics } from '../repository.js';
import { SecretFolder, grantUnseal } from '../secrets/app-secrets.js';
import { EventBroker } from './event-broker.js';
import { ServiceDatabase } from './service-database.js';

/** What the data needs of others. */
export interface DataStackProps extends PmsStackProps {
  readonly network: NetworkStack;
}

/** What an app's tasks are given of what is kept here. */
export interface AppData {
  /** What the sidecar reads by itself, by the task's role: for its components, and for its app. */
  readonly read: readonly ISecret[];
  /** What sidecar and service are started with. */
  readonly identity: ISecret;
  readonly database?: ServiceDatabase;
}

/** Databases, the broker, secrets, and the key of all of them. */
export class DataStack extends Stack {
  readonly broker: EventBroker;
  /** Sentry's certificates. */
  readonly authority: ISecret;
  private readonly key: Key;
  private readonly data = new Map<string, AppData>();

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, props);
    const { stage, apps, network } = props;
    this.key = new Key(this, 'Key', {
      alias: `pms/${stage.name}/data`,
      description: 'Databases, events and secrets of the Patient Management System',
      enableKeyRotation: true,
      removalPolicy: removal(stage),
      pendingWindow: Duration.days(7),
    });
    const folder = (owner: string) =>
      new SecretFolder(this, `Secrets-${owner}`, {
        prefix: secretPrefix(stage, owner),
        key: this.key,
        removalPolicy: removal(stage),
      });
    this.broker = new EventBroker(this, 'Broker', {
      stage,
      vpc: network.vpc,
      securityGroup: network.groups.broker,
      key: this.key,
      logKey: network.logKey,
      topics: topics(),
    });
    for (const app of apps) {
      const secrets = folder(app.id);
      const size = stage.databases[app.id];
      if (app.hasDatabase && !size) throw new Error(`stage ${stage.name} has no size for the database of ${app.id}`);
      const database =
        app.hasDatabase && size
          ? new ServiceDatabase(this, `Database-${app.id}`, {
              app: app.id,
              stage,
              size,
              vpc: network.vpc,
              securityGroup: network.groups.ofDatabase(app.id),
              key: this.key,
              logKey: network.logKey,
              secrets,
            })
          : undefined;
      const read: ISecret[] = database ? [database.state, database.functions] : [];
      for (const name of app.secrets) read.push(secrets.empty(name, `What ${app.id} asks for by this name`));
      if (app.hasPubsub) read.push(secrets.empty('pubsub-brokers', `Where ${app.id} finds Kafka`));
      const identity = secrets.empty(IDENTITY, `What ${app.id} and its sidecar know each other and sentry by`);
      this.data.set(app.id, { read, identity, ...(database && { database }) });
    }
    this.authority = folder('sentry').empty(AUTHORITY, 'The certificates that sentry issues by');
  }

  /** Lets a role read what is in secrets that it is given. */
  grantUnseal(grantee: IGrantable): void {
    grantUnseal(grantee, this.key.keyArn, this.region);
  }

  /** What there is for an app. */
  of(app: string): AppData {
    const data = this.data.get(app);
    if (!data) throw new Error(`there is no data of ${app}`);
    return data;
  }
}
