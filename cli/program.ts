import { Command, CommanderError } from 'commander'
import { describeError, toHoldfastError, type HoldfastError } from '../base/index.ts'
import { exit, exitOf } from './exit-codes.ts'
import { Io, type GlobalOptions, type World } from './io.ts'
import type { Verb } from './verbs/common.ts'
import { verbs } from './verbs.ts'

/** Runs one command line (without `node` and the script) and returns its exit code. */
export async function runCli(argv: readonly string[], world: World, version: string): Promise<number> {
  let code: number = exit.ok
  const end = (exitCode: number): void => void (code = exitCode)
  const program = programOf(world, version)
  try {
    await addVerbs(program, argv, (command) => new Io(world, command.optsWithGlobals(), end))
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (world.signal.aborted) return exit.interrupted
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage
    return report(world, program.opts<GlobalOptions>(), toHoldfastError(error))
  }
}

/** The program as `runCli` parses this command line with; tests look whether it would be understood. */
export async function programFor(argv: readonly string[], world: World, version: string): Promise<Command> {
  const program = programOf(world, version)
  await addVerbs(program, argv, (command) => new Io(world, command.optsWithGlobals(), () => undefined))
  return program
}

function programOf(world: World, version: string): Command {
  const program = new Command('holdfast')
    .description('Backup of virtual machines that proves they come back.')
    .version(version, '-V, --version')
    .option('--json', 'data as JSON on stdout')
    .option('-q, --quiet', 'no messages on stderr')
    .option('--no-color', 'no colour (also NO_COLOR)')
    .option('--server <url>', 'of the API; else HOLDFAST_SERVER, else the server of HOLDFAST_HOME')
    .option('--token <token>', 'else HOLDFAST_TOKEN, else the file of HOLDFAST_HOME')
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
    })
    .addHelpText(
      'before',
      'Examples:\n  $ holdfast status\n  $ holdfast backup web-01 --watch\n  $ holdfast run watch backup/web-01\n  $ holdfast restore web-01 --name web-01-restored\n',
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 partial, 4 not found, 5 conflict, 6 access, 7 server unreachable, 8 engine or worker away, 130 interrupted.',
    )
  return program
}

/** Loads only the verb that is meant: help of the program stays fast, whatever a verb needs. */
async function addVerbs(program: Command, argv: readonly string[], ioOf: Parameters<Verb>[0]): Promise<void> {
  const wanted = firstOperand(argv)
  for (const [name, { summary, load }] of Object.entries(verbs)) {
    if (name !== wanted) program.addCommand(new Command(name).description(summary))
    else program.addCommand(inherit(program, (await load())(ioOf)))
  }
}

/** The verb: the first word that is neither an option nor the value of one. */
function firstOperand(argv: readonly string[]): string | undefined {
  const at = argv.findIndex(
    (word, index) => !word.startsWith('-') && !['--server', '--token'].includes(argv[index - 1] ?? ''),
  )
  return argv[at]
}

/** What commander copies to commands made by `.command()`, for those made apart. */
function inherit(parent: Command, command: Command): Command {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) inherit(parent, child)
  return command
}

function report(world: World, options: GlobalOptions, error: HoldfastError): number {
  const { code, message, hint, docs, causes, data } = error.toJSON()
  if (options.json)
    world.stderr.write(`${JSON.stringify({ error: { code, message, hint, docs, causes, ...(data && { data }) } })}\n`)
  else {
    world.stderr.write(`holdfast: ${message}\n  ${hint}\n`)
    if (code === 'Internal') world.stderr.write(`${error.stack ?? describeError(error)}\n`)
  }
  return exitOf(code)
}
