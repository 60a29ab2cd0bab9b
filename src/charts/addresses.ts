/** A chart leads nowhere and fetches nothing: neither its pictures nor its pages have an address in them. */
import { dataName, isObject } from './spec.js';

/** Keys of Vega and Vega-Lite whose value is an address, or a program's options that hold some. */
const ADDRESSES: ReadonlySet<string> = new Set(['href', 'url', 'embedOptions', 'loader']);

/** A paint server or a font of elsewhere, in a value that styles; `url(#gradient)` is of the picture itself. */
const ELSEWHERE = /url\(\s*(?!#|['"]#)/i;

/** Addresses of a spec, as problems with their places. */
export function addressesIn(spec: unknown): readonly string[] {
  const problems: string[] = [];
  const visit = (value: unknown, place: string): void => {
    if (typeof value === 'string') {
      if (/javascript:/i.test(value)) problems.push(`${place}: is a script; a chart has none`);
      else if (ELSEWHERE.test(value))
        problems.push(`${place}: has an address in a style; a chart leads nowhere`);
    } else if (Array.isArray(value)) {
      value.forEach((child, i) => {
        visit(child, `${place}[${i}]`);
      });
    } else if (isObject(value)) {
      for (const [key, child] of Object.entries(value)) {
        const at = place === '' ? key : `${place}.${key}`;
        if (key === '$schema' || (key === 'data' && dataName(child))) continue;
        if (ADDRESSES.has(key)) problems.push(`${at}: ${told(key, child)}`);
        else if (key === 'mark' && (child === 'image' || (isObject(child) && child.type === 'image')))
          problems.push(`${at}: expected marks that are drawn, got "image", which fetches a picture`);
        // Rows that a spec brings along are data; no channel can make an address of them.
        else if (key !== 'values') visit(child, at);
      }
    }
  };
  visit(spec, '');
  return problems;
}

const told = (key: string, value: unknown): string =>
  key === 'url'
    ? `fetches ${JSON.stringify(value)}; a chart has no data but its table`
    : 'has an address; a chart leads nowhere';

/**
 * Makes sure that a picture has no address either, whatever its spec has computed.
 *
 * @throws Error
 */
export function checkPicture(svg: string): void {
  for (const [tag] of svg.matchAll(/<[^>]*(?:href\s*=|url\()[^>]*>/gi)) {
    if (/href\s*=/i.test(tag) || ELSEWHERE.test(tag))
      throw new Error(`chart: an address is in the picture: ${tag.slice(0, 120)}; a chart leads nowhere`);
  }
}
