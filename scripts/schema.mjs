// Writes configs/schema.json, the JSON schema of the experiment files, from the built validator: node scripts/schema.mjs
import { writeFileSync } from 'node:fs';
import { experimentJsonSchema } from '../dist/config/file/experiment.js';

const file = new URL('../configs/schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(experimentJsonSchema(), null, 2)}\n`);
