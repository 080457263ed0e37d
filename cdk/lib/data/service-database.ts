import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { InstanceType, type ISecurityGroup, type IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  ParameterGroup,
  PerformanceInsightRetention,
  PostgresEngineVersion,
  StorageType,
} from 'aws-cdk-lib/aws-rds';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';
import { SUBNETS } from '../network/network-stack.js';
import { CONNECTION_FIELDS } from '../names.js';
import { removal, retention } from '../pms-stack.js';
import * as ports from '../ports.js';
import { type SecretFolder, withoutKey } from '../secrets/app-secrets.js';
import type { DatabaseSize, Stage } from '../stage.js';

/** Where the certificates of RDS are in the images that connect to it. */
export const RDS_CERTIFICATES = '/certificates/rds.pem';

/** The server's administrator, whose password RDS makes and replaces itself. */
const ADMINISTRATOR = 'postgres';

/** Connections of each of the two pools of a sidecar, as locally. */
const POOL = 16;

/** The logs that leave the server. */
const EXPORTED = ['postgresql', 'upgrade'];

/** The database of one app. */
export interface ServiceDatabaseProps {
  readonly app: string;
  readonly stage: Stage;
  readonly size: DatabaseSize;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
  /** Encrypts storage, backups and secrets. */
  readonly key: IKey;
  /** Encrypts logs. */
  readonly logKey: IKey;
  /** Where the connections of the sidecar's components are kept. */
  readonly secrets: SecretFolder;
}

/**
 * A PostgreSQL server for one app, with the connections of its two components.
 *
 * What is in it (database, roles, schemas) the migration task makes, by the rules of `tools/migrate`.
 */
export class ServiceDatabase extends Construct {
  readonly instance: DatabaseInstance;
  /** What `statestore` connects with. */
  readonly state: ISecret;
  /** What `functions` connects with. */
  readonly functions: ISecret;
  /** The administrator's user name and password; the migration task alone is given it. */
  readonly administrator: ISecret;

  constructor(scope: Construct, id: string, props: ServiceDatabaseProps) {
    super(scope, id);
    const { app } = props;
    this.instance = this.makeInstance(props);
    this.makeLogs(props);
    this.administrator = withoutKey(this, 'Administrator', (this.instance.secret ?? missing()).secretArn);
    const connection = (component: string, role: string) =>
      props.secrets.connection(`${component}-connection`, `What ${component} of ${app} connects with`, {
        [CONNECTION_FIELDS.connection]: [
          `host=${this.instance.dbInstanceEndpointAddress}`,
          `port=${ports.DATABASE}`,
          `dbname=${app}-service-db`,
          `user=${app}-service-${role}`,
          'sslmode=verify-full',
          `sslrootcert=${RDS_CERTIFICATES}`,
          `pool_max_conns=${POOL}`,
        ].join(' '),
      });
    this.state = connection('statestore', 'state');
    this.functions = connection('functions', 'functions');
  }

  /** Made before the server makes them itself, which would keep them for ever and under another key. */
  private makeLogs({ app, stage, logKey }: ServiceDatabaseProps): void {
    for (const kind of EXPORTED) {
      const logGroup = new LogGroup(this, `Logs-${kind}`, {
        logGroupName: `/aws/rds/instance/pms-${stage.name}-${app}/${kind}`,
        retention: retention(stage),
        encryptionKey: logKey,
        removalPolicy: RemovalPolicy.DESTROY,
      });
      this.instance.node.defaultChild?.node.addDependency(logGroup);
    }
  }

  private makeInstance(props: ServiceDatabaseProps): DatabaseInstance {
    const { app, stage, size } = props;
    // The version that everything is tested with. An extension or a plan may differ in the next.
    const engine = DatabaseInstanceEngine.postgres({ version: PostgresEngineVersion.VER_15_17 });
    const instance = new DatabaseInstance(this, 'Server', {
      engine,
      instanceIdentifier: `pms-${stage.name}-${app}`,
      instanceType: new InstanceType(size.instanceType),
      vpc: props.vpc,
      vpcSubnets: { subnetGroupName: SUBNETS.data },
      securityGroups: [props.securityGroup],
      port: ports.DATABASE,
      credentials: Credentials.fromUsername(ADMINISTRATOR, { encryptionKey: props.key }),
      manageMasterUserPassword: true,
      parameterGroup: new ParameterGroup(this, 'Parameters', {
        engine,
        description: `PostgreSQL of ${app}`,
        parameters: {
          'rds.force_ssl': '1',
          'password_encryption': 'scram-sha-256',
          // Parameters of statements are people's data, and stay out of the log, also where one fails.
          'log_statement': 'none',
          'log_parameter_max_length': '0',
          'log_parameter_max_length_on_error': '0',
          'log_min_duration_statement': '1000',
        },
      }),
      multiAz: stage.keeps,
      storageType: StorageType.GP3,
      storageEncrypted: true,
      storageEncryptionKey: props.key,
      allocatedStorage: size.storage[0],
      maxAllocatedStorage: size.storage[1],
      backupRetention: Duration.days(stage.backupDays),
      copyTagsToSnapshot: true,
      deleteAutomatedBackups: !stage.keeps,
      deletionProtection: stage.keeps,
      removalPolicy: removal(stage),
      autoMinorVersionUpgrade: true,
      cloudwatchLogsExports: EXPORTED,
      enablePerformanceInsights: stage.keeps,
      ...(stage.keeps && {
        performanceInsightRetention: PerformanceInsightRetention.DEFAULT,
        performanceInsightEncryptionKey: props.key,
        monitoringInterval: Duration.minutes(1),
      }),
    });
    acknowledge(
      instance,
      'One security group reaches the port; another number would hide nothing from it.',
      'AwsSolutions-RDS11',
    );
    acknowledge(
      instance,
      'The policy that AWS keeps for this one purpose: to write figures of the server.',
      `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole]`,
    );
    acknowledge(
      instance,
      'It is in AWS Backup only where an organisation has a plan; snapshots are kept for as long as one would.',
      'HIPAA.Security-RDSInBackupPlan',
    );
    return instance;
  }
}

function missing(): never {
  throw new Error('RDS manages no password');
}
