import { Duration } from 'aws-cdk-lib';
import { type IRepository, Repository, RepositoryEncryption, TagMutability, TagStatus } from 'aws-cdk-lib/aws-ecr';
import { type EcrImage, ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { COLLECTOR_TAG, IMAGES } from '../names.js';
import { removal } from '../pms-stack.js';
import type { Stage } from '../stage.js';

/** The images that there are. */
export interface ImageRepositoriesProps {
  readonly stage: Stage;
  readonly apps: readonly string[];
  /** The version of the system that runs. */
  readonly imageTag: string;
}

/**
 * A repository for each image, of which a tag means one image for ever.
 *
 * Stages of one account share nothing, so their repositories have the stage in their names.
 */
export class ImageRepositories extends Construct {
  private readonly repositories = new Map<string, IRepository>();

  constructor(
    scope: Construct,
    id: string,
    private readonly props: ImageRepositoriesProps,
  ) {
    super(scope, id);
    const { stage, apps } = props;
    const names = [IMAGES.sidecar, IMAGES.authority, IMAGES.migrate, IMAGES.collector, ...apps.map(IMAGES.app)];
    for (const name of names) {
      const repository = new Repository(this, name.replace('/', '-'), {
        repositoryName: `${stage.name}/${name}`,
        imageTagMutability: TagMutability.IMMUTABLE,
        imageScanOnPush: true,
        encryption: RepositoryEncryption.KMS,
        removalPolicy: removal(stage),
        emptyOnDelete: false,
      });
      repository.addLifecycleRule({ tagStatus: TagStatus.UNTAGGED, maxImageAge: Duration.days(7) });
      this.repositories.set(name, repository);
    }
  }

  /** An image of the version that runs; the collector's is its publisher's. */
  image(name: string): EcrImage {
    const repository = this.repositories.get(name);
    if (!repository) throw new Error(`there is no repository ${name}`);
    return ContainerImage.fromEcrRepository(
      repository,
      name === IMAGES.collector ? COLLECTOR_TAG : this.props.imageTag,
    );
  }
}
