import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnCluster, CfnConfiguration, CfnTopic } from 'aws-cdk-lib/aws-msk';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';
import { clusterName } from '../names.js';
import { SUBNETS } from '../network/network-stack.js';
import { retention } from '../pms-stack.js';
import type { AppDefinition, Topic } from '../repository.js';
import type { Stage } from '../stage.js';

/** Kafka. */
export interface EventBrokerProps {
  readonly stage: Stage;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
  readonly key: IKey;
  readonly logKey: IKey;
  readonly topics: readonly Topic[];
}

/** Newer than what `components/aws/pubsub.yaml` asks for, and one of those whose topics MSK makes itself. */
const VERSION = '3.9.x';

/** Amazon MSK with the topics of `dapr/access.yaml`; who may use which, IAM says. */
export class EventBroker extends Construct {
  readonly cluster: CfnCluster;
  private readonly name: string;

  constructor(scope: Construct, id: string, props: EventBrokerProps) {
    super(scope, id);
    const { stage } = props;
    this.name = clusterName(stage);
    const configuration = new CfnConfiguration(this, 'Configuration', {
      name: this.name,
      kafkaVersionsList: [VERSION],
      serverProperties: [
        // A topic that is not in the matrix is a mistake, not a wish.
        'auto.create.topics.enable=false',
        `default.replication.factor=${stage.zones}`,
        `min.insync.replicas=${stage.zones - 1}`,
        'unclean.leader.election.enable=false',
        '',
      ].join('\n'),
    });
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/pms/${stage.name}/kafka`,
      retention: retention(stage),
      encryptionKey: props.logKey,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.cluster = new CfnCluster(this, 'Cluster', {
      clusterName: this.name,
      kafkaVersion: VERSION,
      numberOfBrokerNodes: stage.zones,
      brokerNodeGroupInfo: {
        instanceType: stage.brokers.instanceType,
        clientSubnets: props.vpc.selectSubnets({ subnetGroupName: SUBNETS.data }).subnetIds,
        securityGroups: [props.securityGroup.securityGroupId],
        storageInfo: { ebsStorageInfo: { volumeSize: stage.brokers.storage } },
      },
      configurationInfo: { arn: configuration.attrArn, revision: 1 },
      clientAuthentication: { sasl: { iam: { enabled: true } }, unauthenticated: { enabled: false } },
      encryptionInfo: {
        encryptionAtRest: { dataVolumeKmsKeyId: props.key.keyArn },
        encryptionInTransit: { clientBroker: 'TLS', inCluster: true },
      },
      enhancedMonitoring: 'PER_BROKER',
      loggingInfo: { brokerLogs: { cloudWatchLogs: { enabled: true, logGroup: logGroup.logGroupName } } },
    });
    this.cluster.applyRemovalPolicy(stage.keeps ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY);
    for (const topic of props.topics) {
      new CfnTopic(this, `Topic-${topic.name}`, {
        clusterArn: this.cluster.attrArn,
        topicName: topic.name,
        partitionCount: topic.partitions,
        replicationFactor: stage.zones,
      }).applyRemovalPolicy(stage.keeps ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY);
    }
  }

  /** Lets a task write what its app publishes and read what it subscribes to, as the group that its app id names. */
  grant(grantee: IRole, app: AppDefinition): void {
    const statement = (actions: string[], resources: string[]) => {
      if (resources.length === 0) return;
      grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
      acknowledge(
        grantee,
        'The asterisk is the id that MSK gives a cluster; names of clusters, topics and groups are whole.',
        ...resources.map((resource) => `AwsSolutions-IAM5[Resource::${resource}]`),
      );
    };
    statement(['kafka-cluster:Connect', 'kafka-cluster:DescribeCluster'], [this.arn('cluster')]);
    const topics = (names: readonly string[]) => names.map((name) => this.arn('topic', name));
    statement(['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'], topics(app.publishes));
    statement(['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'], topics(app.subscribes));
    if (app.subscribes.length > 0) {
      statement(['kafka-cluster:AlterGroup', 'kafka-cluster:DescribeGroup'], [this.arn('group', app.id)]);
    }
  }

  /**
   * The ARN of a part of the cluster. Its fourth part is an id that MSK gives the cluster and that this name, of which
   * an account has one, makes needless.
   */
  private arn(kind: 'cluster' | 'topic' | 'group', name?: string): string {
    const resource = [kind, this.name, '*', ...(name === undefined ? [] : [name])].join('/');
    const { partition, region, account } = Stack.of(this);
    return `arn:${partition}:kafka:${region}:${account}:${resource}`;
  }
}
