/** Formulas of experiments and scalings as MathML, which browsers set and screen readers read. */
import { parseExpression } from 'vega-expression';
import { compileExpression } from '../config/expression.js';
import { type Html, html } from './page/html.js';

type Syntax = ReturnType<typeof parseExpression>;

/**
 * A formula such as `sqrt(k*L)/m`, set.
 *
 * @param style `display` writes fractions with a bar, `inline` with a slash.
 * @throws ExpressionError when it is none
 */
export function formulaHtml(source: string | number, style: 'display' | 'inline' = 'display'): Html {
  return style === 'display'
    ? html`<math displaystyle="true">${formulaMarkup(source, style)}</math>`
    : html`<math>${formulaMarkup(source, style)}</math>`;
}

/** `beta = 1/sqrt(L)` with both sides set. */
export function equationHtml(name: string, source: string | number): Html {
  return html`<math>${identifier(name)}<mo>=</mo>${formulaMarkup(source, 'inline')}</math>`;
}

/** A name with what stands below it, such as sigma and `1`. */
export function symbolHtml(name: string, below?: string): Html {
  return html`<math>${
    below === undefined
      ? identifier(name)
      : html`<msub>${identifier(name)}<mrow>${/^\d+$/.test(below) ? html`<mn>${below}</mn>` : html`<mi>${below}</mi>`}</mrow></msub>`
  }</math>`;
}

function formulaMarkup(source: string | number, style: 'display' | 'inline'): Html {
  // Reads nothing that the experiment files would refuse.
  compileExpression(source);
  return write(parseExpression(String(source)), style).markup;
}

const GREEK: Readonly<Record<string, string>> = {
  beta: 'β',
  eta: 'η',
  sigma: 'σ',
  pi: 'π',
  theta: 'θ',
};

const identifier = (name: string): Html => html`<mi>${GREEK[name] ?? name}</mi>`;

/** How tightly a piece holds together: sums least, then products, fractions with a slash, powers, and what needs no bracket. */
type Strength = 'sum' | 'product' | 'atom';
interface Piece {
  readonly markup: Html;
  readonly strength: Strength;
}

const ORDER: readonly Strength[] = ['sum', 'product', 'atom'];

function write(syntax: Syntax, style: 'display' | 'inline'): Piece {
  const at = (node: unknown) => write(node as Syntax, style);
  const held = (piece: Piece, least: Strength): Html =>
    ORDER.indexOf(piece.strength) >= ORDER.indexOf(least)
      ? piece.markup
      : html`<mrow><mo>(</mo>${piece.markup}<mo>)</mo></mrow>`;
  switch (syntax.type) {
    case 'Literal':
      return { markup: html`<mn>${String(syntax.value)}</mn>`, strength: 'atom' };
    case 'Identifier':
      return { markup: identifier(syntax.name), strength: 'atom' };
    case 'UnaryExpression':
      return {
        markup: html`<mrow><mo>${syntax.operator === '-' ? '−' : syntax.operator}</mo>${held(at(syntax.argument), 'product')}</mrow>`,
        strength: 'sum',
      };
    case 'BinaryExpression': {
      const [left, right] = [at(syntax.left), at(syntax.right)];
      if (syntax.operator === '/') {
        return style === 'display'
          ? {
              markup: html`<mfrac><mrow>${left.markup}</mrow><mrow>${right.markup}</mrow></mfrac>`,
              strength: 'product',
            }
          : {
              markup: html`<mrow>${held(left, 'product')}<mo>/</mo>${held(right, 'atom')}</mrow>`,
              strength: 'product',
            };
      }
      if (syntax.operator === '*') {
        const square = squareOf(syntax.left as Syntax, syntax.right as Syntax);
        if (square !== undefined)
          return { markup: power(held(at(square), 'atom'), '2'), strength: 'product' };
        // Products of letters are written without a sign; the invisible one is read aloud.
        const sign = syntax.right.type === 'Literal' ? '·' : '\u2062';
        return {
          markup: html`<mrow>${held(left, 'product')}<mo>${sign}</mo>${held(right, 'product')}</mrow>`,
          strength: 'product',
        };
      }
      const sign = syntax.operator === '-' ? '−' : syntax.operator;
      return {
        markup: html`<mrow>${left.markup}<mo>${sign}</mo>${held(right, 'product')}</mrow>`,
        strength: 'sum',
      };
    }
    case 'CallExpression': {
      const { name } = syntax.callee as { readonly name: string };
      const pieces = syntax.arguments.map(at);
      const [first, second] = pieces;
      if (name === 'sqrt') return { markup: html`<msqrt>${first!.markup}</msqrt>`, strength: 'atom' };
      if (name === 'pow')
        return {
          markup: html`<msup><mrow>${held(first!, 'atom')}</mrow><mrow>${second!.markup}</mrow></msup>`,
          strength: 'product',
        };
      if (name === 'abs')
        return { markup: html`<mrow><mo>|</mo>${first!.markup}<mo>|</mo></mrow>`, strength: 'atom' };
      const list = pieces.flatMap(({ markup }, i) => (i === 0 ? [markup] : [html`<mo>,</mo>`, markup]));
      return { markup: html`<mrow><mi>${name}</mi><mo>(</mo>${list}<mo>)</mo></mrow>`, strength: 'atom' };
    }
    default:
      throw new Error(`the formula has ${syntax.type}, which compileExpression should have refused`);
  }
}

const power = (base: Html, exponent: string): Html =>
  html`<msup><mrow>${base}</mrow><mn>${exponent}</mn></msup>`;

/** The x of `x*x`; experiment files know no square but this and `pow(x, 2)`. */
function squareOf(left: Syntax, right: Syntax): Syntax | undefined {
  return left.type === 'Identifier' && right.type === 'Identifier' && left.name === right.name
    ? left
    : undefined;
}
