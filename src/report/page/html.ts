/** HTML as values: whatever is put into a template is escaped, unless it is HTML already. */
import { escapeHtml } from '../../charts/page.js';

/** Text that is HTML. */
export class Html {
  constructor(readonly text: string) {}
}

/** What a template takes; null and false are nothing, a list is its members one after the other. */
export type Content = Html | string | number | false | null | readonly Content[];

/** The template with its values escaped: html`<p>${'a < b'}</p>` is `<p>a &lt; b</p>`. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(String.raw({ raw: parts }, ...values.map(textOf)));
}

/** Nothing. */
export const nothing = new Html('');

function textOf(content: Content): string {
  if (content === null || content === false) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'object') return content.map(textOf).join('');
  return escapeHtml(String(content));
}

/** Values as JSON that may stand in a script element, which `</script` and `<!--` would end or change. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028');
}
