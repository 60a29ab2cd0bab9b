/** Tables for a terminal, however narrow. */
import CliTable from 'cli-table3';
import type { Terminal } from './terminal.js';

type Align = 'left' | 'center' | 'right';

/**
 * A table with lines around its columns, and between its rows where a cell has several lines; where it is wider than the
 * terminal, which would break them, a list of its rows.
 *
 * @param aligns of columns; default left.
 */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { columns }: Pick<Terminal, 'columns'>,
  aligns: readonly Align[] = [],
): string {
  const table = new CliTable({
    head: [...head],
    style: { head: [], border: [], compact: !rows.flat().some((cell) => cell.includes('\n')) },
    colAligns: head.map((_, i) => aligns[i] ?? 'left'),
  });
  for (const row of rows) table.push([...row]);
  const text = table.toString();
  if (columns === undefined || text.indexOf('\n') <= columns) return text;
  const name = head.reduce((most, title) => Math.max(most, title.length), 0);
  return rows
    .map((row) =>
      row.flatMap((cell, i) =>
        cell === '' ? [] : [`${(head[i] ?? '').padEnd(name)}  ${cell.replaceAll('\n', ' ')}`],
      ),
    )
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}
