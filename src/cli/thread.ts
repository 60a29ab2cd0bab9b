/** The thread of the program. */
import { runProgram } from './run-program.js';
import { listenForSignals } from './signals.js';

listenForSignals();
process.exitCode = await runProgram(process.argv.slice(2));
