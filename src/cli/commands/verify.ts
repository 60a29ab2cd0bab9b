/** `verify`: every claim of the paper as a measured verdict. */
import type { Check, Verdict } from '../../claims/claim.js';
import { CLAIMS } from '../../claims/claims.js';
import { DEFAULT_SEED } from '../../claims/lab.js';
import { verdictsText } from '../../claims/record.js';
import { nearest } from '../../nearest.js';
import { defaultWorkers } from '../../run/machine/executor.js';
import { ensureWritableDirectory, shown } from '../../store/files.js';
import { UserError } from '../../store/user-error.js';
import { writeFile } from '../../store/write-file.js';
import { type Effects, quietly } from '../effects.js';
import { EXIT } from '../exit-code.js';
import { readRecord, recordPath, SHIPPED_RECORD } from '../recorded-claims.js';
import type { Terminal } from '../terminal.js';

export interface VerifyCommand {
  readonly out: string;
  readonly workers?: number | undefined;
  readonly seed?: number | undefined;
  readonly list?: boolean | undefined;
  readonly record?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly markdown?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** A verdict, and the recorded one if there is one. */
interface Compared {
  readonly verdict: Verdict;
  readonly recorded: Verdict['verdict'] | undefined;
}

/**
 * Measures claims, prints the verdicts and compares them with claims.json; exit code 1 where one differs.
 *
 * @throws UserError for a name that no claim has, and a record that cannot be read.
 */
export async function verify(
  names: readonly string[],
  command: VerifyCommand,
  effects: Effects,
): Promise<number> {
  const { write, tell, terminal } = quietly(effects, command.quiet);
  const ids = chosen(names);
  if (command.list) {
    effects.write(command.json ? listJson(ids) : listText(ids));
    return EXIT.fine;
  }
  const path = recordPath(command.out);
  const own = readRecord(path);
  const record = own ?? readRecord(SHIPPED_RECORD);
  if (command.record) ensureWritableDirectory(command.out);
  let done = 0;
  const { seed = DEFAULT_SEED } = command;
  const questions = ids.map((id) => ({ id, seed }));
  const examined = await effects.examineClaims(
    questions,
    command.workers ?? defaultWorkers(),
    (_, { id }) => {
      done++;
      if (terminal.isLive) terminal.rewriteLine(`${done} of ${ids.length}: ${id}`);
    },
  );
  const verdicts = examined.map(({ verdict }) => verdict);
  if (terminal.isLive) terminal.rewriteLine('');
  const compared = verdicts.map(
    (verdict): Compared => ({
      verdict,
      recorded: record?.find(({ id }) => id === verdict.id)?.verdict,
    }),
  );
  if (command.json) effects.write(verdictsText(verdicts));
  else if (command.markdown) effects.write(markdownOf(compared));
  else write(textOf(compared, names.length > 0, terminal));
  if (command.record) {
    const kept = (own ?? []).filter(({ id }) => !ids.includes(id) && CLAIMS.some((each) => each.id === id));
    const all = [...kept, ...verdicts];
    const order = CLAIMS.map(({ id }) => id);
    all.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    writeFile(path, verdictsText(all));
    tell(`recorded in ${shown(path)}`);
    return EXIT.fine;
  }
  const compareWith = shown(own ? path : SHIPPED_RECORD);
  if (!own) tell(`compared with ${record ? compareWith : 'nothing'}; --record writes ${shown(path)}`);
  if (!record) return EXIT.fine;
  const different = compared.filter((each) => each.recorded !== each.verdict.verdict);
  for (const { verdict, recorded } of different) {
    const before = recorded ? `recorded: ${recorded}` : 'not recorded';
    effects.tell(`${verdict.id}: ${verdict.verdict}, ${before} in ${compareWith}`);
  }
  return different.length > 0 ? EXIT.different : EXIT.fine;
}

function chosen(names: readonly string[]): string[] {
  const all = CLAIMS.map(({ id }) => id);
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    const lines = unknown.map((name) => {
      const near = nearest(name, all);
      return `${name}: no claim has this name${near ? `; did you mean ${near}?` : ''}`;
    });
    throw new UserError(`${lines.join('\n')}\nthere are ${all.join(', ')}`);
  }
  return names.length === 0 ? all : all.filter((id) => names.includes(id));
}

const listed = (ids: readonly string[]) =>
  CLAIMS.filter(({ id }) => ids.includes(id)).map(({ id, where, title }) => ({ id, where, title }));

const listJson = (ids: readonly string[]) => `${JSON.stringify(listed(ids), null, 2)}\n`;

function listText(ids: readonly string[]): string {
  const rows = listed(ids);
  const longest = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length));
  const first = longest(rows.map(({ id }) => id));
  const second = longest(rows.map(({ where }) => where));
  return rows
    .map(({ id, where, title }) => `${id.padEnd(first)}  ${where.padEnd(second)}  ${title}\n`)
    .join('');
}

const brief = (value: number) => String(Number(value.toPrecision(3)));

/** `-0.52 [-0.55, -0.49]` */
function measuredText({ measured, low, high }: Check): string {
  return low === null || high === null
    ? brief(measured)
    : `${brief(measured)} [${brief(low)}, ${brief(high)}]`;
}

/** What a verdict hangs on: the checks that fail, or the first. */
function decisive({ checks }: Verdict): readonly Check[] {
  const failing = checks.filter(({ holds }) => !holds);
  return failing.length > 0 ? failing : checks.slice(0, 1);
}

const countText = ({ checks }: Verdict) =>
  `${checks.filter(({ holds }) => holds).length} of ${checks.length} checks hold`;

function textOf(all: readonly Compared[], isWhole: boolean, { green, yellow }: Terminal): string {
  const width = Math.max(...all.map(({ verdict }) => verdict.id.length));
  const indent = ' '.repeat(width + 2);
  const blocks = all.map(({ verdict }) => {
    const word = verdict.verdict === 'holds' ? green('holds') : yellow('fails');
    const shownChecks = isWhole ? verdict.checks : decisive(verdict);
    return [
      `${verdict.id.padEnd(width)}  ${word}  ${verdict.title} (${verdict.where}); ${countText(verdict)}`,
      `${indent}${verdict.statement}`,
      ...shownChecks.map(
        (check) =>
          `${indent}${check.holds ? '+' : '-'} ${check.what}: ${measuredText(check)}, expected ${check.expected}`,
      ),
      ...(verdict.note === null ? [] : [`${indent}${verdict.note}`]),
    ].join('\n');
  });
  const fails = all.filter(({ verdict }) => verdict.verdict === 'fails').length;
  return `${blocks.join('\n\n')}\n\n${all.length - fails} claims hold, ${fails} fail\n`;
}

function markdownOf(all: readonly Compared[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const code = (text: string) => `\`${cell(text)}\``;
  const rows = all.map(({ verdict, recorded }) => {
    const checks = decisive(verdict);
    const changed = recorded !== undefined && recorded !== verdict.verdict ? ` (recorded: ${recorded})` : '';
    const column = (of: (check: Check) => string) => checks.map((check) => cell(of(check))).join('<br>');
    return [
      `**${verdict.id}** ${cell(verdict.where)}`,
      code(verdict.statement),
      column(({ what }) => what),
      column(measuredText),
      column(({ expected }) => expected),
      `${verdict.verdict}${changed}, ${countText(verdict)}${verdict.note === null ? '' : `. ${cell(verdict.note)}`}`,
    ].join(' | ');
  });
  return [
    '| claim | statement | check | measured | expected | verdict |',
    '|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
  ].join('\n');
}
