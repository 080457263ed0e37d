/** What would change in an account is seen in a review: `npm run snapshots` after a change that is meant. */
import { expect, test } from 'vitest';
import { stageNamed } from '../lib/stage.js';
import { PARTS, synthesised } from './system.js';

test.each(['production', 'development'].flatMap((stage) => PARTS.map((part) => [stage, part] as const)))(
  'the template of %s %s is the committed one',
  async (stage, part) => {
    const template = synthesised(stageNamed(stage)).templates[part].toJSON();
    await expect(`${JSON.stringify(template, null, 1)}\n`).toMatchFileSnapshot(`templates/${stage}-${part}.json`);
  },
);
