import { describe, expect, test } from 'vitest';
import { loadFont, textWidth } from './font.js';

describe('the bundled font', () => {
  test('has the letters and signs of the paper', async () => {
    const { advances } = await loadFont();
    expect([...'βπµμθφηℓ√∞→·−—⁻⁰¹²'].filter((character) => !advances.has(character.codePointAt(0)!))).toEqual(
      [],
    );
  });

  test('has the advance widths of DejaVu Sans, in 2048ths of the font size', async () => {
    const font = await loadFont();
    const width = (text: string): number => textWidth(font, text, 2048);
    expect([width('0'), width('β'), width('π'), width('√'), width('L'), width('/')]).toEqual([
      1303, 1307, 1233, 1305, 1141, 690,
    ]);
    expect(width('π/4')).toBe(1233 + 690 + 1303);
  });

  test('counts a character that it lacks as one font size', async () => {
    expect(textWidth(await loadFont(), '漢', 10)).toBe(10);
  });
});
