import { type CfnSecurityGroup, Port, SecurityGroup, Peer, type ISecurityGroup, type IVpc } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { AppDefinition } from '../repository.js';
import * as ports from '../ports.js';

/** Who may connect to whom. */
export interface SecurityGroupsProps {
  readonly vpc: IVpc;
  readonly apps: readonly AppDefinition[];
}

/**
 * A security group for each part, and the rules between them, which follow from `dapr/access.yaml`: a sidecar reaches
 * those sidecars alone whose apps its app may call.
 *
 * All of them are here, because a rule between groups of two stacks makes each stack need the other.
 */
export class SecurityGroups extends Construct {
  readonly loadBalancer: SecurityGroup;
  readonly authority: SecurityGroup;
  readonly broker: SecurityGroup;
  readonly migration: SecurityGroup;
  readonly endpoints: SecurityGroup;
  readonly apps = new Map<string, SecurityGroup>();
  readonly databases = new Map<string, SecurityGroup>();
  private readonly vpc: IVpc;

  constructor(scope: Construct, id: string, { vpc, apps }: SecurityGroupsProps) {
    super(scope, id);
    this.vpc = vpc;
    this.loadBalancer = this.group('LoadBalancer', 'The only one that the internet reaches');
    this.authority = this.group('Authority', 'Sentry, which signs the certificates of sidecars');
    this.broker = this.group('Broker', 'Kafka');
    this.migration = this.group('Migration', 'Tasks that prepare databases');
    this.endpoints = this.group('Endpoints', 'The services of AWS, inside the network');
    for (const app of apps) this.apps.set(app.id, this.group(`App-${app.id}`, `The tasks of ${app.id}`));
    for (const app of apps.filter((app) => app.hasDatabase)) {
      this.databases.set(app.id, this.group(`Database-${app.id}`, `The database of ${app.id}`));
    }
    this.connect(apps);
    reachNothingElse(this.loadBalancer);
  }

  /** The group of an app's tasks. */
  ofApp(id: string): ISecurityGroup {
    return found(this.apps, id);
  }

  /** The group of an app's database. */
  ofDatabase(id: string): ISecurityGroup {
    return found(this.databases, id);
  }

  private group(id: string, description: string): SecurityGroup {
    return new SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound: false });
  }

  private connect(apps: readonly AppDefinition[]): void {
    for (const [address, port, what] of [
      [Peer.anyIpv4(), 443, 'HTTPS'],
      [Peer.anyIpv4(), 80, 'HTTP, to be sent to HTTPS'],
    ] as const) {
      this.loadBalancer.addIngressRule(address, Port.tcp(port), what);
    }
    this.allow(this.loadBalancer, found(this.apps, 'gateway'), ports.PUBLIC, 'requests and health');
    for (const app of apps) {
      const tasks = found(this.apps, app.id);
      for (const callee of app.callees) {
        this.allow(tasks, found(this.apps, callee), ports.DAPR_INTERNAL, `calls of ${app.id} to ${callee}`);
      }
      this.allow(tasks, this.authority, ports.AUTHORITY, `certificates for ${app.id}`);
      if (app.hasPubsub) this.allow(tasks, this.broker, ports.BROKER, `events of ${app.id}`);
      const database = this.databases.get(app.id);
      if (database) {
        this.allow(tasks, database, ports.DATABASE, `documents of ${app.id}`);
        this.allow(this.migration, database, ports.DATABASE, `migrations of ${app.id}`);
      }
    }
    for (const tasks of [...this.apps.values(), this.authority, this.migration]) {
      // Images lie in S3, whose endpoint has no group; there is no other way out of these subnets.
      tasks.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'endpoints of AWS, which is all that can be reached');
      this.endpoints.addIngressRule(tasks, Port.tcp(443), 'tasks');
    }
  }

  private allow(from: SecurityGroup, to: SecurityGroup, port: number, what: string): void {
    from.addEgressRule(to, Port.tcp(port), what);
    to.addIngressRule(from, Port.tcp(port), what);
  }
}

/**
 * Keeps a group, whose ways out are resources of their own, from having one to everywhere besides: so EC2 makes groups
 * that say nothing themselves.
 */
function reachNothingElse(group: SecurityGroup): void {
  const resource = group.node.defaultChild as CfnSecurityGroup;
  resource.securityGroupEgress = [
    // The way to nowhere that the CDK gives to groups without any.
    { cidrIp: '255.255.255.255/32', description: 'Nothing', ipProtocol: 'icmp', fromPort: 252, toPort: 86 },
  ];
}

function found(groups: Map<string, SecurityGroup>, id: string): SecurityGroup {
  const group = groups.get(id);
  if (!group) throw new Error(`there is no security group of ${id}`);
  return group;
}
