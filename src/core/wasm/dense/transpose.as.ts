/** Transposed matrices, by blocks of four rows and four columns. */

/** out = a^T, a [rows x columns]; `line` and `outLine` are the bytes from row to row. */
export function transposeMatrix(
  out: usize,
  outLine: usize,
  a: usize,
  line: usize,
  rows: u32,
  columns: u32,
): void {
  const blockRows = rows & ~3;
  const blockColumns = columns & ~3;
  for (let row: u32 = 0; row < blockRows; row += 4) {
    let from = a + <usize>row * line;
    let to = out + ((<usize>row) << 2);
    for (let column: u32 = 0; column < blockColumns; column += 4, from += 16, to += outLine << 2) {
      transposeBlock(to, outLine, from, line);
    }
  }
  for (let row: u32 = 0; row < rows; row++) {
    for (let column = row < blockRows ? blockColumns : 0; column < columns; column++) {
      const entry = load<f32>(a + <usize>row * line + ((<usize>column) << 2));
      store<f32>(out + <usize>column * outLine + ((<usize>row) << 2), entry);
    }
  }
}

/** Four rows of four numbers. */
@inline
function transposeBlock(out: usize, outLine: usize, a: usize, line: usize): void {
  const r0 = v128.load(a);
  const r1 = v128.load(a + line);
  const r2 = v128.load(a + 2 * line);
  const r3 = v128.load(a + 3 * line);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
  v128.store(out + outLine, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
  v128.store(out + 2 * outLine, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
  v128.store(out + 3 * outLine, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
}
