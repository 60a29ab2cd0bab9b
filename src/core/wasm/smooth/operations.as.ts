/** What a smooth activation is asked for, in the order of `fused-kernels.ts`: phi(f), phi'(f) t, phi''(f) t, phi(f + t) - phi(f). */
export const VALUE: u32 = 0;
export const TANGENT: u32 = 1;
export const BEND: u32 = 2;
export const DIFFERENCE: u32 = 3;
