/**
 * Values of the paper's figures (arXiv 2311.18718v3), read off its pictures pixel by pixel: the authors' numbers are not
 * published. As many digits as the pictures give: a pixel is 0.003 rad in Fig. 1 and 0.01 and 0.05 in Fig. 2a and 2b.
 */
export const PUBLISHED = {
  'figure-1a': {
    'β = 1/L': '0.05',
    'β = 1/(2√L)': '0.40',
    'β = 1/√L': '0.71',
    'β = 2/√L': '1.06',
    'β = 1': '1.46',
  },
  'figure-1b': {
    'β = 1/L': '0.075',
    'β = 1/(2√L)': '0.390',
    'β = 1/√L': '0.702',
    'β = 2/√L': '1.073',
    'β = 1': '1.448',
  },
  // The right ends of the curves, the only points where no curve covers another.
  'figure-1c': { 'L = 500': '1.526', 'L = 100': '1.441', 'L = 30': '1.348' },
  'figure-2a': { NTK: '0.18', 'MF+muP': '2.29', FSC: '0.78' },
  'figure-2b': { 'β = 1/√L': '10.4', 'β = 1/L': '7.8', quotient: '1.34' },
} as const satisfies Record<string, Readonly<Record<string, string>>>;
