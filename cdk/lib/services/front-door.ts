import { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  type ApplicationTargetGroup,
  ListenerCertificate,
  SslPolicy,
  TargetGroupLoadBalancingAlgorithmType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';
import { SUBNETS } from '../network/network-stack.js';
import * as ports from '../ports.js';
import type { Stage } from '../stage.js';
import { Firewall } from './firewall.js';

/** Where the public comes in. */
export interface FrontDoorProps {
  readonly stage: Stage;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
  readonly certificateArn: string;
  readonly gateway: FargateService;
  readonly logKey: IKey;
}

/** A load balancer that ends TLS, behind a firewall and before the gateway. */
export class FrontDoor extends Construct {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly targets: ApplicationTargetGroup;

  constructor(scope: Construct, id: string, props: FrontDoorProps) {
    super(scope, id);
    const { stage } = props;
    this.loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      loadBalancerName: `pms-${stage.name}`,
      vpc: props.vpc,
      vpcSubnets: { subnetGroupName: SUBNETS.public },
      securityGroup: props.securityGroup,
      internetFacing: true,
      deletionProtection: stage.keeps,
      dropInvalidHeaderFields: true,
      // A stream says something every ten seconds, and the gateway keeps a connection for 75.
      idleTimeout: Duration.seconds(60),
    });
    acknowledge(
      this.loadBalancer,
      'Its log has whole addresses, with whom somebody searched for; the firewall logs every request without queries.',
      'AwsSolutions-ELB2',
      'HIPAA.Security-ELBLoggingEnabled',
    );
    this.loadBalancer.addRedirect({ sourcePort: 80, targetPort: 443, open: false });
    acknowledge(
      this.loadBalancer,
      'Of the listeners the one at port 80 has no certificate, and answers nothing but the way to the other.',
      'HIPAA.Security-ELBv2ACMCertificateRequired',
    );
    const listener = this.loadBalancer.addListener('Https', {
      port: 443,
      open: false,
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
      certificates: [ListenerCertificate.fromArn(props.certificateArn)],
    });
    this.targets = listener.addTargets('Gateway', {
      targetGroupName: `pms-${stage.name}-gateway`,
      port: ports.PUBLIC,
      protocol: ApplicationProtocol.HTTP,
      targets: [props.gateway.loadBalancerTarget({ containerName: 'gateway', containerPort: ports.PUBLIC })],
      // A stream is under way for hours: turns alone would not tell who is busy.
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      // As long as the gateway takes to finish what it has begun.
      deregistrationDelay: Duration.seconds(15),
      healthCheck: {
        path: '/readyz',
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
      },
    });
    new Firewall(this, 'Firewall', {
      stage,
      loadBalancerArn: this.loadBalancer.loadBalancerArn,
      logKey: props.logKey,
    });
  }
}
