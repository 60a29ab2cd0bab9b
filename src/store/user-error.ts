/** A mistake of the user: its message is all that is shown, and the exit code is 2. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
