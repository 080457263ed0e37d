import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import type { DataStack } from '../data/data-stack.js';
import type { Installation } from '../installation.js';
import { IMAGES, metricNamespace, secretPrefix } from '../names.js';
import type { NetworkStack } from '../network/network-stack.js';
import type { PlatformStack } from '../platform/platform-stack.js';
import { acknowledgePulling } from '../platform/hardened.js';
import type { PmsStackProps } from '../pms-stack.js';
import { AppService } from './app-service.js';
import { AuthorityService } from './authority-service.js';
import { environmentOf } from './environment.js';
import { FrontDoor } from './front-door.js';

/** What the services need of others. */
export interface ServicesStackProps extends PmsStackProps {
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly platform: PlatformStack;
  readonly installation: Installation;
}

/** The services with their sidecars, sentry, and the public door. */
export class ServicesStack extends Stack {
  readonly services = new Map<string, AppService>();
  readonly frontDoor: FrontDoor;

  constructor(scope: Construct, id: string, props: ServicesStackProps) {
    super(scope, id, props);
    const { stage, apps, network, data, platform, installation } = props;
    const authority = new AuthorityService(this, 'Authority', {
      family: `pms-${stage.name}-sentry`,
      size: stage.authority,
      cluster: platform.cluster,
      securityGroup: network.groups.authority,
      namespace: platform.namespace,
      image: platform.images.image(IMAGES.authority),
      credentials: data.authority,
      logGroup: platform.logsOf('sentry'),
    });
    this.letStart(authority.taskDefinition, data);
    for (const app of apps) {
      const size = stage.services[app.id];
      if (!size) throw new Error(`stage ${stage.name} has no size for ${app.id}`);
      const service = new AppService(this, `App-${app.id}`, {
        app,
        family: `pms-${stage.name}-${app.id}`,
        size,
        cluster: platform.cluster,
        securityGroup: network.groups.ofApp(app.id),
        namespace: platform.namespace,
        images: {
          app: platform.images.image(IMAGES.app(app.id)),
          sidecar: platform.images.image(IMAGES.sidecar),
          collector: platform.images.image(IMAGES.collector),
        },
        environment: environmentOf(app, installation),
        data: data.of(app.id),
        secretPrefix: secretPrefix(stage, app.id),
        authority: authority.address,
        logGroup: platform.logsOf(app.id),
        metrics: platform.metrics,
        metricNamespace: metricNamespace(stage),
        region: this.region,
      });
      this.letStart(service.taskDefinition, data);
      if (data.of(app.id).read.length > 0) data.grantUnseal(service.taskDefinition.taskRole);
      if (app.hasPubsub) data.broker.grant(service.taskDefinition.taskRole, app);
      // No sidecar starts without a certificate.
      service.service.node.addDependency(authority.service);
      this.services.set(app.id, service);
    }
    const gateway = this.service('gateway').service;
    this.frontDoor = new FrontDoor(this, 'FrontDoor', {
      stage,
      vpc: network.vpc,
      securityGroup: network.groups.loadBalancer,
      certificateArn: installation.certificateArn,
      gateway,
      logKey: network.logKey,
    });
    new CfnOutput(this, 'Address', { value: `https://${installation.domainName}` });
    new CfnOutput(this, 'PointDomainTo', { value: this.frontDoor.loadBalancer.loadBalancerDnsName });
  }

  /** Lets ECS start a task with the secrets that it is given. */
  private letStart(taskDefinition: FargateTaskDefinition, data: DataStack): void {
    const role = taskDefinition.obtainExecutionRole();
    data.grantUnseal(role);
    acknowledgePulling(role);
  }

  /** The service of an app. */
  service(app: string): AppService {
    const service = this.services.get(app);
    if (!service) throw new Error(`there is no service ${app}`);
    return service;
  }
}
