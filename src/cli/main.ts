#!/usr/bin/env node
import { command } from './command.ts';

// `kubectl sky logs NAME | head` closes the pipe, and that is no failure.
process.stdout.on('error', () => process.exit());

process.exitCode = await command(process.argv.slice(2), process);
