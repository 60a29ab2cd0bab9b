/**
 * What the page does when it is opened. The function is written into the page as text: it refers to nothing outside of
 * itself but the browser, the two libraries, and what it is given.
 */
import type { Spec, View } from 'vega';
import type { PackedColumn, PackedTable } from '../columns.js';

export interface ChartData {
  /** Id of the element that holds the chart and its controls. */
  readonly id: string;
  readonly spec: Spec;
  readonly table: PackedTable;
}

export interface PageData {
  readonly charts: readonly ChartData[];
  /** Signal that holds the series that are switched off. */
  readonly hiddenSignal: string;
}

/** The libraries as their scripts leave them. */
interface Libraries {
  readonly vega: typeof import('vega');
  readonly vegaInterpreter: unknown;
}

export function runPage(data: PageData, formatNumber: (value: number) => string): void {
  const { vega, vegaInterpreter } = globalThis as unknown as Libraries;

  function unpack({ rows, columns }: PackedTable): Record<string, unknown>[] {
    const cell = (column: PackedColumn, i: number): unknown =>
      'of' in column ? column.of[column.at[i] ?? 0] : column[i];
    return Array.from({ length: rows }, (_, i) =>
      Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, cell(column, i)])),
    );
  }

  const tooltip = document.getElementById('tooltip') as HTMLElement;

  function showTooltip(_: unknown, event: MouseEvent, __: unknown, value: unknown): void {
    if (value === null || typeof value !== 'object') {
      tooltip.hidden = true;
      return;
    }
    tooltip.replaceChildren(
      ...Object.entries(value).map(([name, text]) => {
        const [row, term, definition] = ['div', 'dt', 'dd'].map((tag) => document.createElement(tag));
        term!.textContent = name;
        definition!.textContent = String(text);
        row!.append(term!, definition!);
        return row!;
      }),
    );
    tooltip.hidden = false;
    const { width, height } = tooltip.getBoundingClientRect();
    const left = event.clientX + 14 + width > innerWidth ? event.clientX - width - 14 : event.clientX + 14;
    const top = event.clientY + 14 + height > innerHeight ? event.clientY - height - 14 : event.clientY + 14;
    tooltip.style.left = `${Math.max(4, left)}px`;
    tooltip.style.top = `${Math.max(4, top)}px`;
  }

  /** A height in proportion to the width that stays readable on a phone. */
  function fit(view: View, width: number): View {
    return view.width(width).height(Math.round(Math.min(400, Math.max(250, width * 0.6))));
  }

  async function draw({ id, spec, table }: ChartData): Promise<void> {
    const figure = document.getElementById(id) as HTMLElement;
    const box = figure.querySelector('.canvas') as HTMLElement;
    const rows = unpack(table);
    const filled = {
      ...spec,
      data: spec.data?.map((source) => (source.name === 'table' ? { ...source, values: rows } : source)),
    } as Spec;
    const view = new vega.View(vega.parse(filled, undefined, { ast: true }), {
      renderer: 'svg',
      container: box,
      expr: vegaInterpreter,
      tooltip: showTooltip,
    } as ConstructorParameters<typeof vega.View>[1]);
    await fit(view, box.clientWidth).runAsync();
    let width = box.clientWidth;
    new ResizeObserver(() => {
      if (isPrinting || box.clientWidth === width || box.clientWidth === 0) return;
      width = box.clientWidth;
      fit(view, width).runAsync();
    }).observe(box);
    // On paper a chart has three fifths of the page: drawn at that size, its text is as large as the text around it.
    let isPrinting = false;
    addEventListener('beforeprint', () => {
      isPrinting = true;
      fit(view, 430).runAsync();
    });
    addEventListener('afterprint', () => {
      isPrinting = false;
      fit(view, width).runAsync();
    });

    for (const control of figure.querySelectorAll<HTMLInputElement>('input[data-signal]')) {
      const set = () => view.signal(control.dataset.signal!, control.checked).runAsync();
      control.addEventListener('change', set);
      // Browsers keep the state of a control when a page is read again.
      set();
    }
    const buttons = [...figure.querySelectorAll<HTMLButtonElement>('button[data-series]')];
    for (const button of buttons) {
      button.addEventListener('click', () => {
        button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
        const hidden = buttons
          .filter((each) => each.getAttribute('aria-pressed') !== 'true')
          .map((each) => JSON.parse(each.dataset.series!));
        view.signal(data.hiddenSignal, hidden).runAsync();
      });
    }
  }

  async function drawAll(): Promise<void> {
    for (const chart of data.charts) {
      try {
        await draw(chart);
      } catch (error) {
        const box = document.getElementById(chart.id)?.querySelector('.canvas');
        if (box) box.textContent = `This chart could not be drawn: ${error}`;
        console.error(error);
      }
    }
    document.documentElement.dataset.charts = 'drawn';
  }

  function followTheme(): void {
    for (const choice of document.querySelectorAll<HTMLInputElement>('input[name="theme"]')) {
      choice.addEventListener('change', () => {
        if (choice.value === 'system') delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = choice.value;
      });
    }
  }

  type Syntax = Readonly<Record<string, unknown>> & { readonly type: string };

  /** Value of a formula that the program has checked: numbers, names, + - * / and functions of Math. */
  function evaluate(syntax: Syntax, values: Readonly<Record<string, number>>): number {
    const at = (node: unknown): number => evaluate(node as Syntax, values);
    if (syntax.type === 'Literal') return Number(syntax.value);
    if (syntax.type === 'Identifier') return values[String(syntax.name)] ?? Number.NaN;
    if (syntax.type === 'UnaryExpression') return (syntax.operator === '-' ? -1 : 1) * at(syntax.argument);
    if (syntax.type === 'CallExpression') {
      const { name } = syntax.callee as {
        readonly name: 'sqrt' | 'exp' | 'log' | 'pow' | 'abs' | 'min' | 'max';
      };
      return (Math[name] as (...of: number[]) => number)(...(syntax.arguments as unknown[]).map(at));
    }
    const [a, b] = [at(syntax.left), at(syntax.right)];
    return { '+': a + b, '-': a - b, '*': a * b, '/': a / b }[String(syntax.operator)] ?? Number.NaN;
  }

  function followSizes(): void {
    const form = document.getElementById('sizes') as HTMLFormElement | null;
    if (!form) return;
    const cells = [...document.querySelectorAll<HTMLElement>('[data-formula]')].map((cell) => ({
      cell,
      syntax: vega.parseExpression(cell.dataset.formula!) as unknown as Syntax,
    }));
    const problem = form.querySelector('output') as HTMLOutputElement;
    const update = () => {
      const values: Record<string, number> = { pi: Math.PI, e: Math.E };
      const inputs = [...form.querySelectorAll<HTMLInputElement>('input[name]')];
      for (const { name, value } of inputs) values[name] = value === '' ? Number.NaN : Number(value);
      if ('beta' in values && form.querySelector<HTMLInputElement>('[name="beta"]')?.value === '') {
        values.beta = 1 / Math.sqrt(values.L ?? Number.NaN);
      }
      const wrong = inputs.filter((input) => !input.checkValidity());
      for (const input of inputs) input.setAttribute('aria-invalid', String(wrong.includes(input)));
      for (const { cell, syntax } of cells) {
        const value = wrong.length > 0 ? Number.NaN : evaluate(syntax, values);
        cell.textContent = Number.isFinite(value) ? formatNumber(value) : '—';
      }
      problem.textContent = wrong
        .map(({ name, validationMessage }) => `${name}: ${validationMessage}`)
        .join(' ');
    };
    form.addEventListener('input', update);
    form.addEventListener('submit', (event) => event.preventDefault());
    update();
  }

  function openClaims(): void {
    const open = () => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (target instanceof HTMLDetailsElement) {
        target.open = true;
        target.scrollIntoView();
      }
    };
    addEventListener('hashchange', open);
    open();
    const claims = [...document.querySelectorAll<HTMLDetailsElement>('details.claim')];
    let closed: HTMLDetailsElement[] = [];
    addEventListener('beforeprint', () => {
      closed = claims.filter((claim) => !claim.open);
      for (const claim of closed) claim.open = true;
    });
    addEventListener('afterprint', () => {
      for (const claim of closed) claim.open = false;
    });
  }

  followTheme();
  followSizes();
  openClaims();
  drawAll();
}
