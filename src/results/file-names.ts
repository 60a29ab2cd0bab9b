/** Names of the files in a folder of results: those of an experiment, and beside the folders of all. */
export const TABLE = 'table.csv';
export const MANIFEST = 'manifest.json';
export const SLOPES = 'slopes.csv';
export const OPTIMA = 'optima.csv';

/** Tables that are computed from the table, where an experiment asks for them. */
export const FITS = [SLOPES, OPTIMA] as const;

export const CHART = {
  spec: 'chart.vl.json',
  svg: 'chart.svg',
  png: 'chart.png',
  html: 'chart.html',
} as const;

/** Recorded verdicts, and the page of all. */
export const CLAIMS = 'claims.json';
export const REPORT = 'report.html';
