import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';
import { type PmsStackProps, removal, retention } from '../pms-stack.js';
import { SecurityGroups } from './security-groups.js';

/** Subnets by who is in them. */
export const SUBNETS = { public: 'public', tasks: 'tasks', data: 'data' } as const;

/** What tasks ask of AWS, each by an endpoint of its own: there is no way to the internet. */
const ENDPOINTS = {
  EcrApi: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Secrets: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Traces: InterfaceVpcEndpointAwsService.XRAY,
};

/** The network, who may connect to whom in it, and the key of all logs. */
export class NetworkStack extends Stack {
  readonly vpc: Vpc;
  readonly groups: SecurityGroups;
  /** Encrypts logs and notifications. */
  readonly logKey: Key;
  private readonly zones: string[];

  constructor(scope: Construct, id: string, props: PmsStackProps) {
    super(scope, id, props);
    const { stage, apps } = props;
    this.zones = ['a', 'b', 'c'].slice(0, stage.zones).map((zone) => `${this.region}${zone}`);
    this.logKey = this.makeLogKey(props);
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(stage.cidr),
      maxAzs: stage.zones,
      natGateways: 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: SUBNETS.public, subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: SUBNETS.tasks, subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 22 },
        { name: SUBNETS.data, subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
    });
    acknowledge(
      this.vpc,
      'Nothing is in the default group; to close it would take a function that may change every group.',
      'HIPAA.Security-VPCDefaultSecurityGroupClosed',
    );
    acknowledge(
      this.vpc,
      'Only the subnets of the load balancer lead to the internet, as they have to.',
      'HIPAA.Security-VPCNoUnrestrictedRouteToIGW',
    );
    acknowledge(
      this.vpc,
      'Zones are named so that what is deployed can be told without asking an account.',
      'CloudFormation-Validate::W3010',
    );
    this.groups = new SecurityGroups(this, 'Groups', { vpc: this.vpc, apps });
    acknowledge(
      this.groups.loadBalancer,
      'The public door: HTTPS for everyone, and HTTP to be sent there.',
      'AwsSolutions-EC23',
      'HIPAA.Security-EC2RestrictedCommonPorts',
    );
    this.addEndpoints();
    this.addFlowLog(props);
  }

  /** Names, so that no look-up in an account is needed to know what is deployed. */
  override get availabilityZones(): string[] {
    return this.zones;
  }

  private makeLogKey({ stage }: PmsStackProps): Key {
    const key = new Key(this, 'LogKey', {
      alias: `pms/${stage.name}/logs`,
      description: 'Logs and notifications of the Patient Management System',
      enableKeyRotation: true,
      removalPolicy: removal(stage),
      pendingWindow: Duration.days(7),
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(`logs.${this.region}.amazonaws.com`)],
        actions: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
          'kms:DescribeKey',
        ],
        resources: ['*'],
        // For the logs of this account, which it names itself.
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${this.region}:${this.account}:log-group:*` },
        },
      }),
    );
    key.grantEncryptDecrypt(new ServicePrincipal('cloudwatch.amazonaws.com'));
    return key;
  }

  private addEndpoints(): void {
    this.vpc.addGatewayEndpoint('S3', {
      service: GatewayVpcEndpointAwsService.S3,
      subnets: [{ subnetGroupName: SUBNETS.tasks }],
    });
    for (const [id, service] of Object.entries(ENDPOINTS)) {
      this.vpc.addInterfaceEndpoint(id, {
        service,
        subnets: { subnetGroupName: SUBNETS.tasks },
        securityGroups: [this.groups.endpoints],
        open: false,
        privateDnsEnabled: true,
      });
    }
  }

  private addFlowLog({ stage }: PmsStackProps): void {
    const logGroup = new LogGroup(this, 'FlowLogs', {
      logGroupName: `/pms/${stage.name}/flow`,
      retention: retention(stage),
      encryptionKey: this.logKey,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: FlowLogTrafficType.ALL,
    });
  }
}
