/** SIGINT and SIGTERM: they end the program, at once or when the command that runs has put its work in order. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

let controller: AbortController | undefined;

/** Begins to listen; until `stopSignal` is called a signal ends the program at once, with 128 + its number. */
export function listenForSignals(): void {
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      const code = 128 + number;
      if (!controller || controller.signal.aborted) process.exit(code);
      controller.abort(code);
    });
  }
}

/** Aborted at the first signal, the exit code as the reason; the second ends the program at once. */
export function stopSignal(): AbortSignal {
  controller ??= new AbortController();
  return controller.signal;
}
