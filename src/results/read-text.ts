/** Bytes of a result as text, and the one error that its readers raise. */
import { isUtf8 } from 'node:buffer';

/** What was read is no table or no manifest; the message says where and what, but not in which file. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
}

/** A hundred times the largest table of a figure; a longer text would not fit twice into memory. */
const MOST_BYTES = 200e6;

const LINE_FEED = 0x0a;
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/**
 * UTF-8 bytes as text, without a byte order mark.
 *
 * @throws ReadError for more than 200 MB, a pointer of Git LFS, UTF-16, NUL bytes, and bytes that are not UTF-8.
 */
export function decodeText(bytes: Uint8Array): string {
  checkSize(bytes.length);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.subarray(0, LFS_POINTER.length).toString('latin1') === LFS_POINTER) {
    throw new ReadError('a pointer of Git LFS stands in the place of the file; git lfs pull fetches it');
  }
  const mark = buffer.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff')
    throw new ReadError('line 1: expected UTF-8, got UTF-16; save it as UTF-8');
  const nul = buffer.indexOf(0);
  if (nul !== -1) {
    throw new ReadError(
      `line ${lineAt(buffer, nul)}: expected text in UTF-8, got a NUL byte; it is binary or UTF-16`,
    );
  }
  if (!isUtf8(buffer)) {
    throw new ReadError(
      `line ${firstLineThatIsNotUtf8(buffer)}: expected UTF-8, got bytes of another encoding`,
    );
  }
  const text = buffer.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * Bytes as a value of JSON.
 *
 * @throws ReadError as `decodeText`, and for what is no JSON.
 */
export function decodeJson(bytes: Uint8Array): unknown {
  const text = decodeText(bytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    // The message repeats some of the text, with its line feeds.
    throw new ReadError(`not JSON: ${(error as Error).message.replace(/\s+/g, ' ')}`);
  }
}

/**
 * Refuses what is too long to be read, best before it is.
 *
 * @throws ReadError for more than 200 MB.
 */
export function checkSize(bytes: number): void {
  if (bytes <= MOST_BYTES) return;
  throw new ReadError(`expected at most ${MOST_BYTES / 1e6} MB, got ${Math.ceil(bytes / 1e6)} MB`);
}

function lineAt(buffer: Buffer, offset: number): number {
  let line = 1;
  for (let i = buffer.indexOf(LINE_FEED); i !== -1 && i < offset; i = buffer.indexOf(LINE_FEED, i + 1))
    line += 1;
  return line;
}

function firstLineThatIsNotUtf8(buffer: Buffer): number {
  let start = 0;
  for (let line = 1; ; line++) {
    const end = buffer.indexOf(LINE_FEED, start);
    if (end === -1 || !isUtf8(buffer.subarray(start, end))) return line;
    start = end + 1;
  }
}
