/** Findings of cdk-nag that are so on purpose. */
import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says why rules do not hold for a construct and what is in it. */
export function acknowledge(construct: IConstruct, reason: string, ...rules: string[]): void {
  for (const id of rules) Validations.of(construct).acknowledge({ id, reason });
}
