/** Why no report can be made of results; the message is for people. */
export class ReportError extends Error {
  override readonly name = 'ReportError';
}
