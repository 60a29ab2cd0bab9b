/** Formulas in plain text, as claims and corrections have them, with the symbols that they stand for. */
import { type Content, html } from './page/html.js';

const SIGNS: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/fdot/g, 'ḟ'],
  [/bdot/g, 'ḃ'],
  [/\bmuP\b/g, 'μP'],
  [/\bTheta(?![a-z])/g, 'Θ'],
  [/\btheta~/g, 'θ̃'],
  [/\btheta(?![a-z])/g, 'θ'],
  [/\bpi\/2\b/g, 'π/2'],
  [/\bsigma(?![a-z])/g, 'σ'],
  [/\blambda(?![a-z])/g, 'λ'],
  [/\beta(?![a-z])/g, 'η'],
  [/\bbeta(?![a-z])/g, 'β'],
  [/\bphi(?![a-z])/g, 'φ'],
  [/\bsqrt(?=\()/g, '√'],
  [/√\((\w)\)/g, '√$1'],
  [/\bsum(?=_)/g, '∑'],
  [/->/g, '→'],
  [/\+-/g, '±'],
  [/<=/g, '≤'],
  [/>=/g, '≥'],
  [/ \.\. /g, ' … '],
  [/(?<![\w)}])-(?=[\da-z])| - /g, (minus) => minus.replace('-', '−')],
];

/** What follows `_` or `^`: a bracket with what is in it, or a word. */
const SCRIPT = /([_^])(?:\{([^{}]*)\}|\(([^()]*(?:\([^()]*\)[^()]*)*)\)|([\p{L}\p{N}]+))/u;

/** A text such as `sigma_hid = sqrt(2/m), cos(theta_{L-1}) ~ L^(-1/2)`, set. */
export function withSymbols(text: string): Content {
  const signed = SIGNS.reduce((soFar, [words, sign]) => soFar.replace(words, sign as string), text);
  return scripts(signed);
}

function scripts(text: string): readonly Content[] {
  const match = SCRIPT.exec(text);
  if (match === null) return [text];
  const [whole, kind, ...inner] = match;
  const content = (inner.find((each) => each !== undefined) ?? '').replaceAll('-', '−');
  const script = kind === '_' ? html`<sub>${content}</sub>` : html`<sup>${scripts(content)}</sup>`;
  return [text.slice(0, match.index), script, ...scripts(text.slice(match.index + whole.length))];
}
