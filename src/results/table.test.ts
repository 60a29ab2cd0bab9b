import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REQUIRED_COLUMNS, rowColumns } from '../config/columns.js';
import { ReadError } from './read-text.js';
import { fromCsv, readTable, type Table, toCsv, type Value } from './table.js';

/** Inputs of a property test. */
const RUNS = process.env.FEATURE_SPEED_SLOW ? 10_000 : 300;

const COLUMNS = ['experiment', 'scaling', 'depth', 'layer', 'bfa_rad'];

/** Every finite double: subnormals, integers beyond 2^53, -0, which a table does not tell from 0. */
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const text = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.string({ unit: fc.constantFrom(',', '"', '\n', '\r', ' ', ';', '\ufeff', 'e', '1'), minLength: 1 }),
  fc.constantFrom('1/sqrt(L)', '"', '""', '\n', ' ', '1e5', 'null', '\u03b2 = \u221a2', '\u{1f642}'),
);
const row = fc
  .tuple(...COLUMNS.map((_, i) => fc.option<Value>(i < 2 ? text : number)))
  .filter((values) => values.some((value) => value !== null))
  .map((values) => values.map((value) => (value === 0 ? 0 : value)));
const table: fc.Arbitrary<Table> = fc.record({ columns: fc.constant(COLUMNS), rows: fc.array(row) });

describe('a table as CSV', () => {
  test('has a header, LF, decimal points, shortest numbers, quotes where they are needed, and gaps as gaps', () => {
    expect(
      toCsv({
        columns: ['experiment', 'scaling', 'depth', 'branch_scale', 'bfa_rad'],
        rows: [
          ['figure-1a', 'MF+muP', 200, 0.1, null],
          ['figure-1a', 'a, "b"', 3, 1 / 3, 1.5707963267948966],
          ['figure-1a', 'two\nlines', 1e21, -0, 5e-324],
          ['figure-1a', null, 0, -1e-7, 1.7976931348623157e308],
        ],
      }),
    ).toBe(
      'experiment,scaling,depth,branch_scale,bfa_rad\n' +
        'figure-1a,MF+muP,200,0.1,\n' +
        'figure-1a,"a, ""b""",3,0.3333333333333333,1.5707963267948966\n' +
        'figure-1a,"two\nlines",1e+21,0,5e-324\n' +
        'figure-1a,,0,-1e-7,1.7976931348623157e+308\n',
    );
  });

  test('without rows is its header', () => {
    expect(toCsv({ columns: COLUMNS, rows: [] })).toBe('experiment,scaling,depth,layer,bfa_rad\n');
  });

  test('reads back the same, to the last bit', () => {
    fc.assert(
      fc.property(table, (written) => {
        expect(fromCsv(toCsv(written))).toEqual(written);
      }),
      { numRuns: RUNS },
    );
  });

  test('tells 0 from a gap', () => {
    expect(fromCsv('depth,layer,scaling\n0,,\n').rows).toEqual([[0, null, null]]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %d', (value) => {
    expect(() => toCsv({ columns: ['layer'], rows: [[value]] })).toThrow(`the table cannot hold ${value}`);
  });
});

describe('what is no table is refused at its line and column', () => {
  test.each([
    ['an empty file', '', 'line 1: expected a header, got an empty file'],
    ['a word for a number', 'depth,layer\n3,1\n3,x\n', 'line 3, column layer: expected a number, got "x"'],
    ['a blank for a number', 'depth,layer\n3, \n', 'line 2, column layer: expected a number, got " "'],
    ['a hexadecimal number', 'depth,layer\n0x10,1\n', 'line 2, column depth: expected a number, got "0x10"'],
    ['NaN', 'depth,layer\n3,NaN\n', 'line 2, column layer: expected a number, got "NaN"'],
    ['Infinity', 'depth,layer\n-Infinity,1\n', 'line 2, column depth: expected a number, got "-Infinity"'],
    ['a number out of range', 'depth\n1e999\n', 'line 2, column depth: expected a number, got "1e999"'],
    ['a short row', 'depth,layer\n3,1\n3\n', 'line 3, column layer: expected 2 values, got 1'],
    ['a long row', 'depth,layer\n3,1,4\n', 'line 2, column layer: expected 2 values, got 3'],
    ['a fault below a text of two lines', 'scaling,layer\n"a\nb",1\nc,x\n', 'line 4, column layer'],
    ['a quote that stays open', 'scaling,layer\n"a,1\n', 'line 2'],
    ['a quote inside of a value', 'scaling,layer\na"b"c,1\n', 'line 2'],
    [
      'a column that comes twice',
      'depth,layer,depth\n',
      'line 1, column "depth": expected it once, got it twice',
    ],
    [
      'a row of commas',
      'depth,layer\n3,1\n,\n',
      'line 3: expected a row with values, got one of commas alone',
    ],
    [
      'a blank line between rows',
      'depth,layer\n3,1\n\n4,1\n',
      'line 3: expected a row with values, got a blank',
    ],
    ['a blank line below the header', 'layer\n\n1\n', 'line 2: expected a row with values, got a blank line'],
    [
      'two blank lines at the end',
      'depth,layer\n3,1\n\n\n',
      'line 3: expected a row with values, got a blank',
    ],
    ['two of Windows', 'depth,layer\r\n3,1\r\n\r\n\r\n', 'line 3: expected a row with values, got a blank'],
    [
      'two below quotes',
      'scaling,layer\n"a",1\n\n\n',
      'line 3: expected a row with values, got a blank line',
    ],
    ['a last line without its end', 'depth,layer\n3,1\n3,0.12', 'line 3: expected the end of a line'],
    [
      'a CR between lines of CRLF',
      'scaling,layer\r\nNTK\rx,1\r\n',
      'line 2: expected a line end LF or CRLF, got CR',
    ],
  ])('%s', (_, csv, message) => {
    expect(() => fromCsv(csv)).toThrow(ReadError);
    expect(() => fromCsv(csv)).toThrow(message);
  });

  test('line ends of Windows and a byte order mark are no fault', () => {
    expect(fromCsv('\ufeffscaling,layer\r\nNTK,1\r\n')).toEqual({
      columns: ['scaling', 'layer'],
      rows: [['NTK', 1]],
    });
  });
});

test('one blank line at the end, which editors leave, is none', () => {
  for (const csv of ['layer,scaling\n1,NTK\n', 'layer,scaling\n1,"NTK"\n', 'layer,scaling\n']) {
    expect(fromCsv(`${csv}\n`)).toEqual(fromCsv(csv));
    expect(fromCsv(`${csv}\n`.replaceAll('\n', '\r\n'))).toEqual(fromCsv(csv));
  }
});

test('the identity columns are those of the contract, in its order', () => {
  expect(rowColumns([], []).join()).toBe(
    'experiment,draw,architecture,activation,depth,width,input_width,output_width,samples,branch_scale,' +
      'branch_scale_formula,scaling,weights,step,step_size,layer',
  );
  expect(rowColumns(['depth', 'train', 'loss'], ['c', 'a']).slice(12).join()).toBe(
    'weights,step,step_size,loss_function,trained_layers,c,a,layer',
  );
});

describe('the bytes of a file', () => {
  const HEADER = `${REQUIRED_COLUMNS.join()},loss`;
  const LINE = 'smoke,0,resnet,relu,3,16,10,1,1,0.5,NTK,dense,update,0.001,2,0.25';
  const ROW = ['smoke', 0, 'resnet', 'relu', 3, 16, 10, 1, 1, 0.5, 'NTK', 'dense', 'update', 0.001, 2, 0.25];
  const TEXT = `${HEADER}\n${LINE}\n${LINE.replace('smoke,0', 'smoke,1')}\n`;
  const read = (text: string) => readTable(Buffer.from(text));

  test('read as a table, with LF, CRLF, a byte order mark, or every text in quotes', () => {
    const rows = [ROW, ROW.with(1, 1)];
    const quoted = TEXT.replace(/[A-Za-z_]+/g, '"$&"');
    for (const text of [TEXT, TEXT.replaceAll('\n', '\r\n'), `\ufeff${TEXT}`, quoted]) {
      expect(read(text)).toEqual({ columns: HEADER.split(','), rows });
    }
  });

  test.each([
    ['UTF-16', Buffer.from(`\ufeff${TEXT}`, 'utf16le'), 'line 1: expected UTF-8, got UTF-16'],
    ['UTF-16 without a mark', Buffer.from(TEXT, 'utf16le'), 'line 1: expected text in UTF-8, got a NUL byte'],
    [
      'a NUL byte',
      Buffer.from(TEXT.replace('NTK', 'N\0K')),
      'line 2: expected text in UTF-8, got a NUL byte',
    ],
    [
      'Latin 1',
      Buffer.from(TEXT.replace('NTK', 'caf\u00e9'), 'latin1'),
      'line 2: expected UTF-8, got bytes of another',
    ],
    [
      'a JSON file',
      Buffer.from('{\n  "name": 1\n}\n'),
      'line 1: expected the header of a table, experiment,draw,',
    ],
    [
      'a pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\n'),
      'a pointer of Git LFS stands in the place of the file',
    ],
    [
      'a missing column',
      Buffer.from(TEXT.replace('width', 'w')),
      'line 1: expected a column width, got "experiment',
    ],
    ['an empty file', Buffer.from(''), 'line 1: expected a header, got an empty file'],
    ['NaN', Buffer.from(TEXT.replace('0.25', 'NaN')), 'line 2, column loss: expected a number, got "NaN"'],
  ])('are refused for %s', (_, bytes, message) => {
    expect(() => readTable(bytes)).toThrow(ReadError);
    expect(() => readTable(bytes)).toThrow(message);
  });

  const lineWith = (column: string, value: string) =>
    LINE.split(',').with(HEADER.split(',').indexOf(column), value).join();

  test.each([
    [
      'a row that stands twice',
      [LINE, lineWith('layer', '1'), LINE],
      'line 4: expected each row once, got that of line 2',
    ],
    [
      'two rows of one cell and layer with other numbers',
      [LINE, LINE.replace('0.25', '0.5')],
      'line 3: expected each row once, got another of the cell and layer of line 2 again',
    ],
    [
      'a row twice that is written otherwise',
      [LINE, LINE.replace('0.001', '1e-3')],
      'line 3: expected each row once',
    ],
    [
      'a row twice below a text of two lines',
      [LINE.replace('NTK', '"N\nK"'), LINE, LINE],
      'line 5: expected each row',
    ],
    [
      'a row of commas',
      [LINE, LINE.replace(/[^,]+/g, '')],
      'line 3: expected a row with values, got one of commas',
    ],
    ...REQUIRED_COLUMNS.map((column): [string, string[], string] => [
      `an empty cell of ${column}`,
      [lineWith('draw', '1'), lineWith(column, '')],
      `line 3, column ${column}: expected what the row is of, got an empty cell`,
    ]),
  ])('are refused for %s', (_, lines, message) => {
    expect(() => read([HEADER, ...lines, ''].join('\n'))).toThrow(ReadError);
    expect(() => read([HEADER, ...lines, ''].join('\n'))).toThrow(message);
  });

  test('tell rows of several steps apart by their number, which none lacks', () => {
    const steps = (...numbers: string[]) =>
      read([`${HEADER},step_number`, ...numbers.map((number) => `${LINE},${number}`), ''].join('\n'));
    expect(steps('1', '2').rows).toHaveLength(2);
    expect(() => steps('1', '2', '2')).toThrow('line 4: expected each row once, got that of line 3 again');
    expect(() => steps('1', '')).toThrow('line 3, column step_number: expected what the row is of');
  });

  test('of velocities have no step size', () => {
    const line = lineWith('step', 'velocity').replace('0.001', '');
    expect(read([HEADER, line, ''].join('\n')).rows[0]).toContain(null);
  });

  test('are refused beyond 200 MB, before they are looked at', () => {
    expect(() => readTable(new Uint8Array(200_000_001))).toThrow('expected at most 200 MB, got 201 MB');
  });

  test('mangled in any way are refused, or read as what a plain reading of the text gives', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom(
        '',
        ',',
        '\n',
        '\r\n',
        '\r',
        '"',
        '""',
        '0',
        '-',
        'e9',
        'NaN',
        LINE,
        `${LINE}\n`,
        HEADER,
      ),
    );
    const mangled = fc
      .tuple(fc.nat(TEXT.length), fc.integer({ min: 0, max: 30 }), piece, fc.boolean())
      .map(([at, length, text, isWindows]) => {
        const whole = TEXT.slice(0, at) + text + TEXT.slice(at + length);
        return isWindows ? whole.replaceAll('\n', '\r\n') : whole;
      });
    const anything = fc.oneof(
      { weight: 8, arbitrary: mangled.map((text) => Buffer.from(text)) },
      { weight: 1, arbitrary: fc.nat(TEXT.length).map((at) => Buffer.from(TEXT.slice(0, at))) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        let table: Table;
        try {
          table = readTable(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ReadError);
          return;
        }
        const text = bytes.toString('utf8').replace(/^\ufeff/, '');
        if (!text.includes('"')) {
          const lines = text
            .split(/\r?\n/)
            .slice(0, -1)
            .map((line) => line.split(','));
          const plain = table.rows.map((row, i) =>
            row.map((value, j) =>
              typeof value === 'number' ? Number(lines[i + 1]![j]) : lines[i + 1]![j] || null,
            ),
          );
          expect(table).toEqual({ columns: lines[0], rows: plain });
        }
        expect(fromCsv(toCsv(table)).rows).toEqual(
          table.rows.map((row) => row.map((value) => (value === 0 ? 0 : value))),
        );
      }),
      { numRuns: RUNS },
    );
  });
});
