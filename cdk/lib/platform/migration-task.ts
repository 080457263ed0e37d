import { FargateTaskDefinition, Secret } from 'aws-cdk-lib/aws-ecs';
import type { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { CONNECTION_FIELDS } from '../names.js';
import { RDS_CERTIFICATES, type ServiceDatabase } from '../data/service-database.js';
import * as ports from '../ports.js';
import { architecture } from './architecture.js';
import { hardened } from './hardened.js';

/** The task that prepares one database. */
export interface MigrationTaskProps {
  readonly app: string;
  /** The family, by which `npm run migrate` finds it. */
  readonly family: string;
  readonly image: ContainerImage;
  readonly database: ServiceDatabase;
  readonly logGroup: ILogGroup;
}

/**
 * `pms-migrate up` for one app: it makes the database, its roles with the passwords that the sidecar has, and the
 * schema. No other task is given the administrator's password, and this one runs only when it is told to.
 */
export class MigrationTask extends Construct {
  readonly definition: FargateTaskDefinition;

  constructor(scope: Construct, id: string, props: MigrationTaskProps) {
    super(scope, id);
    const { app, database } = props;
    this.definition = new FargateTaskDefinition(this, 'Task', {
      family: props.family,
      cpu: 256,
      memoryLimitMiB: 512,
      runtimePlatform: architecture,
    });
    this.definition.addContainer('migrate', {
      ...hardened(this, { name: 'migrate', image: props.image, logGroup: props.logGroup }),
      entryPoint: ['/app'],
      command: ['up', '--service', app],
      environment: {
        // What it leaves out is in the variables below.
        PMS_DATABASE_ADMIN_URL: 'postgres:///postgres',
        PGHOST: database.instance.dbInstanceEndpointAddress,
        PGPORT: String(ports.DATABASE),
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: RDS_CERTIFICATES,
      },
      secrets: {
        PGUSER: Secret.fromSecretsManager(database.administrator, 'username'),
        PGPASSWORD: Secret.fromSecretsManager(database.administrator, 'password'),
        PMS_STATE_PASSWORD: Secret.fromSecretsManager(database.state, CONNECTION_FIELDS.password),
        PMS_FUNCTIONS_PASSWORD: Secret.fromSecretsManager(database.functions, CONNECTION_FIELDS.password),
      },
    });
  }
}
